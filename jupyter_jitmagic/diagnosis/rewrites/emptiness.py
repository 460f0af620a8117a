"""Whether a list that a helper makes has items: asked by its length, as an array can be that stands for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.inlining import helper_of
from jupyter_jitmagic.diagnosis.rewrites.rules import NoWay, Rule, Spot, Step
from jupyter_jitmagic.source.names import bound_to, walk, walk_scope


def asked_by_its_length(spot: Spot) -> Iterator[Step]:
    """`found = helper(x)`, then `if not found:` → `if len(found) == 0:`."""
    call, code, function = spot.node, spot.code, spot.function
    if not isinstance(call, ast.Call) or not isinstance(function, ast.FunctionDef) or not spot.is_builtin("len"):
        return
    match code.parents[call]:
        case ast.Assign(targets=[ast.Name(id=name)]) as made:
            pass
        case _:
            return
    helper = helper_of(spot, call)
    if not isinstance(helper, ast.FunctionDef) or not _gives_a_list(helper):
        return
    names = [node for node in walk(function) if isinstance(node, ast.Name) and node.id == name]
    later = [node.lineno for node in names if isinstance(node.ctx, ast.Store) and node.lineno > made.lineno]
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    for node in names:
        if not isinstance(node.ctx, ast.Load) or not made.lineno < node.lineno < min(later, default=node.lineno + 1):
            continue
        if later and any(isinstance(at, ast.For | ast.While) and made not in code.below(at) for at in code.ancestors(node)):
            return  # of a later round
        parent = code.parents[node]
        if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
            edits.append((parent, f"len({name}) == 0"))
        elif is_asked(spot, node):
            edits.append((node, f"len({name}) > 0"))
    if edits:
        yield spot.step("list", *edits)


def within_a_helper(spot: Spot) -> Iterator[Step]:
    """A place in a helper that makes a list.

    Raises:
        NoWay: its caller asks whether the list has items, and can ask for its length.
    """
    caller = next(iter(spot.callers()), None) if not spot.entry else None
    if caller is not None and any(asked_by_its_length(caller)):
        raise NoWay("its caller asks whether a list has items")
    yield from ()


def is_asked(spot: Spot, node: ast.AST) -> bool:
    """Whether a test asks for its truth and nobody for its value."""
    parent = spot.code.parents[node]
    while isinstance(parent, ast.BoolOp):
        node, parent = parent, spot.code.parents[parent]
    return isinstance(parent, ast.If | ast.While | ast.IfExp | ast.Assert) and node is parent.test


def _gives_a_list(helper: ast.FunctionDef) -> bool:
    """Whether all that it returns is a list that it made itself."""
    nodes = [*walk_scope(helper.body)]
    made = {name.id: value for node in nodes if isinstance(node, ast.Assign) for name, value in bound_to(node)}
    stores = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]

    def is_list(value: ast.expr | None) -> bool:
        once = isinstance(value, ast.Name) and stores.count(value.id) == 1 and value.id in made
        return isinstance(made[value.id] if once and isinstance(value, ast.Name) else value, ast.List | ast.ListComp)

    returns = [node.value for node in nodes if isinstance(node, ast.Return)]
    return bool(returns) and all(map(is_list, returns)) and isinstance(helper.body[-1], ast.Return)


RULES: list[Rule] = [within_a_helper]
OUTWARD: list[Rule] = [asked_by_its_length]
