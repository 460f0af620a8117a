"""Readings of the time that a function does no more with than to tell them: `t0 = time.time()`, and `print(time.time() - t0)`
at its end. What it gives back is a plain function of its arguments nevertheless."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from jupyter_jitmagic.source.names import target_names

_TELLING = frozenset({"print", "debug", "info", "warning", "warn", "error", "log"})
"""Names of what takes a message, as a function or as a method of a logger."""


def only_told(body: Sequence[ast.stmt], reads_time: Callable[[ast.Call], bool]) -> set[ast.Call]:
    """The calls in a function's body that read the time, where all that is computed of them is told or dropped; none where a
    part of it may be given back, kept or decide something.

    Example:
        >>> body = ast.parse("t = clock()\\nprint(clock() - t)").body
        >>> len(only_told(body, lambda call: ast.unparse(call.func) == "clock"))
        2
    """
    nodes = [node for part in body for node in ast.walk(part)]
    parents = {child: node for node in nodes for child in ast.iter_child_nodes(node)}
    readings = {node for node in nodes if isinstance(node, ast.Call) and reads_time(node)}
    reached: list[ast.expr] = list(readings)
    names: set[str] = set()
    while reached:
        bound = _bound_to(reached.pop(), parents)
        if bound is None:
            return set()
        new = bound - names
        names |= new
        reached += [
            node for node in nodes if isinstance(node, ast.Name) and node.id in new and not isinstance(node.ctx, ast.Store)
        ]
    others = [node for node in nodes if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Store)]
    if any(isinstance(node, ast.Global | ast.Nonlocal) and names & set(node.names) for node in nodes):
        return set()
    bound_by = (ast.Assign, ast.AugAssign, ast.AnnAssign)  # a loop's number that has the same name is something else
    return readings if all(isinstance(_statement(node, parents), bound_by) for node in others) else set()


def _bound_to(node: ast.expr, parents: dict[ast.AST, ast.AST]) -> set[str] | None:
    """The names that are bound to what is computed of an expression; none of them where it is told; None where it goes on."""
    match _statement(node, parents):
        case ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name))) if name in _TELLING:
            return set()
        case ast.Assign(targets=targets) if all(isinstance(each, ast.Name) for each in targets):
            return {name for each in targets for name in target_names(each)}
        case ast.AugAssign(target=ast.Name(id=name)) | ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.Expr(value=value) if value is node:
            return set()
    return None


def _statement(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.AST | None:
    """The statement in which an expression stands; None where that is no simple one."""
    while node in parents and not isinstance(node, ast.stmt):
        if isinstance(node, ast.Lambda | ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.SetComp | ast.NamedExpr):
            return None
        node = parents[node]
    return node
