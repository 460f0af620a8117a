"""Which names statements read and write, in which order, and whether they come to their end."""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


_NO_PARTS = frozenset(
    {"ctx", "id", "attr", "kind", "type_comment", "conversion", "simple", "is_async", "module", "level", "asname"}
)


_FIELDS = {
    kind: tuple(name for name in kind._fields if name not in _NO_PARTS) if kind is not ast.Constant else ()
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
"""By kind of node, the fields in which others may stand."""


def children(node: ast.AST) -> list[ast.AST]:
    """Its parts in order, as `ast.iter_child_nodes` gives them, at a fraction of the cost; whether a name is read or written
    (`ast.Load`) is no part."""
    found: list[ast.AST] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if type(value) is list:
            found += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def walk(node: ast.AST) -> list[ast.AST]:
    """The node and all below it, as `ast.walk` gives them."""
    found = [node]
    for each in found:  # `children`, without a call for each: rules ask for all of a function again and again
        for name in _FIELDS[type(each)]:
            value = getattr(each, name, None)
            if type(value) is list:
                found += [part for part in value if isinstance(part, ast.AST)]
            elif isinstance(value, ast.AST):
                found.append(value)
    return found


def walk_scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Every node of the statements that belongs to their own scope: not the insides of nested functions and classes."""
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, SCOPES):
            stack += children(node)[::-1]


def target_names(target: ast.AST) -> list[str]:
    return [n.id for n in walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]


def stored(nodes: Iterable[ast.AST]) -> list[str]:
    """Names that the statements bind in their own scope, in order of first binding (comprehension variables left out)."""
    hidden: set[ast.AST] = set()
    names: dict[str, None] = {}
    for node in walk_scope(nodes):
        if isinstance(node, ast.comprehension):
            hidden.update(walk(node.target))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            names.setdefault(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.setdefault(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                names.setdefault((alias.asname or alias.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.setdefault(node.name)
    inner = {n.id for n in hidden if isinstance(n, ast.Name)}
    if inner:
        outer = {
            n.id for n in walk_scope(nodes) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load) and n not in hidden
        }
        names = {k: None for k in names if k not in inner or k in outer}
    return list(names)


def bound_in(node: ast.AST) -> set[str]:
    """Names that a function or comprehension binds for what stands in it, its own parameters among them."""
    match node:
        case ast.Lambda():
            return {each.arg for each in walk(node.args) if isinstance(each, ast.arg)}
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            given = {each.arg for each in walk(node.args) if isinstance(each, ast.arg)}
            return given | set(stored(node.body)) - shared(node.body, (ast.Global,))
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return {name for each in node.generators for name in target_names(each.target)}
    return set()


def imported(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Any]]:
    """The names that an import binds, each with what it is; None where the process has no such module yet."""
    for alias in statement.names:
        name = alias.asname or alias.name.partition(".")[0]
        if isinstance(statement, ast.Import):
            yield name, sys.modules.get(alias.name if alias.asname else name)
        else:
            module = sys.modules.get(statement.module or "") if not statement.level else None
            yield name, getattr(module, alias.name, None)


def name_of(call: ast.Call) -> str:
    """The last name of what is called: `sum` of `x.sum()`; "" where it has none."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def bound_to(statement: ast.Assign) -> Iterator[tuple[ast.Name, ast.expr]]:
    """The single names that an assignment binds, each with what it is bound to: `out, total = [], 0`."""
    for target in statement.targets:
        match target, statement.value:
            case ast.Name(), value:
                yield target, value
            case ast.Tuple(elts=names), ast.Tuple(elts=values) if len(names) == len(values):
                yield from ((one, value) for one, value in zip(names, values, strict=True) if isinstance(one, ast.Name))


def bound_once(function: ast.FunctionDef, name: str) -> ast.expr | None:
    """What a name is bound to, where one assignment alone binds it; what is given for a parameter is another binding."""
    if any(isinstance(n, ast.arg) and n.arg == name for n in walk(function.args)):
        return None
    bindings = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load)]
    made = [
        value
        for node in walk_scope(function.body)
        if isinstance(node, ast.Assign)
        for one, value in bound_to(node)
        if one in bindings
    ]
    return made[0] if len(made) == len(bindings) == 1 else None


def names_around(node: ast.AST, hidden: Set[str] = frozenset()) -> Iterator[ast.Name]:
    """The names in a node that are variables around it: `x` in `g(x)`, but not in `lambda x: x`, which binds its own."""
    if isinstance(node, ast.Name):
        if node.id not in hidden:
            yield node
        return
    around: list[ast.AST] = []
    match node:
        case ast.Lambda(args=given) | ast.FunctionDef(args=given) | ast.AsyncFunctionDef(args=given):
            around = [given]  # the values of parameters that are left out
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            around = [node.generators[0].iter]
    own = hidden | bound_in(node)
    for each in around:
        yield from names_around(each, hidden)
    for each in children(node):
        if isinstance(each, ast.comprehension):
            for part in children(each):
                yield from () if part in around else names_around(part, own)
        elif each not in around:
            yield from names_around(each, own)


def uses_of(function: ast.AST | None, target: ast.Name, given: bool = False) -> list[ast.Name] | None:
    """Where a function reads the variable that it binds at `target` alone, those in functions and comprehensions within that
    bind the name themselves left out; None where it is bound elsewhere as well. `given`: it may be a parameter."""
    if not isinstance(function, ast.FunctionDef):
        return None
    if not given and any(isinstance(each, ast.arg) and each.arg == target.id for each in walk(function.args)):
        return None
    uses = [each for part in function.body for each in names_around(part) if each.id == target.id and each is not target]
    return uses if all(isinstance(each.ctx, ast.Load) for each in uses) else None


def may_change(function: ast.FunctionDef, node: ast.AST) -> bool:
    """Whether a name that an expression reads is bound more than once in the function: read later, it may be another value."""
    bound = {*stored(function.body)}
    return any(name in bound and bound_once(function, name) is None for name in loaded([node]))


def loaded(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that the nodes read, those inside nested functions and augmented assignments too."""
    found: set[str] = set()
    for root in nodes:
        for node in walk(root):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.add(node.id)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
    return found


def read_first(stmts: Sequence[ast.stmt]) -> set[str]:
    """Names that may be read before these statements write them."""
    return live_before(stmts, LiveAt(frozenset()))


@dataclass(frozen=True)
class LiveAt:
    """Names that may be read from where some statements are left, before they are written: at their end, and where they leave
    the loop around them by `break` or begin its next round."""

    end: Set[str]
    broken: Set[str] = frozenset()
    next_round: Set[str] = frozenset()


def live_before(stmts: Sequence[ast.stmt], at: LiveAt) -> set[str]:
    """Names that may be read from the begin of the statements on, before they are written.

    Source: the analysis of live variables, A. Aho et al., Compilers (2nd ed.), 9.2.5.
    """
    live = set(at.end)
    for stmt in reversed(stmts):
        here = replace(at, end=frozenset(live))
        match stmt:
            case ast.If():
                live = live_before(stmt.body, here) | live_before(stmt.orelse, here)
                live = (live - set(stored([stmt.test]))) | _read_by_test(stmt.test)
            case ast.For() | ast.AsyncFor() | ast.While():
                live = live_in_loop(stmt, here)
            case ast.With() | ast.AsyncWith():
                live = live_before(stmt.body, here)
                for item in reversed(stmt.items):
                    named = [] if item.optional_vars is None else target_names(item.optional_vars)
                    live = (live - set(named)) | loaded([item.context_expr])
            case ast.Try() | ast.TryStar():  # it may be left behind any of its statements
                blocks = (stmt.body, stmt.orelse, stmt.finalbody, *(handler.body for handler in stmt.handlers))
                live = live.union(*(live_before(block, here) for block in blocks))
            case ast.Match():
                live = live.union(_loads_of_simple(stmt), at.broken, at.next_round)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                live = (live - {stmt.name}) | free_names(stmt)
            case ast.Return() | ast.Raise():
                live = _loads_of_simple(stmt)
            case ast.Break():
                live = set(at.broken)
            case ast.Continue():
                live = set(at.next_round)
            case _:
                live = (live - set(stored([stmt]))) | _loads_of_simple(stmt)
    return live


def live_in_loop(loop: ast.For | ast.AsyncFor | ast.While, at: LiveAt) -> set[str]:
    """Names that may be read from where a round of the loop is about to begin: by its head, by it, or behind it."""
    if isinstance(loop, ast.While):
        read, bound = _read_by_test(loop.test), set(stored([loop.test]))
    else:
        read, bound = loaded([loop.iter]), set(target_names(loop.target))
    behind = live_before(loop.orelse, at)
    live: set[str] = set()
    while True:  # what the next round reads is read behind this one, too
        around = LiveAt(frozenset(live), at.end, frozenset(live))
        inside = live_before(loop.body, around)
        known = read | ((inside | behind) - bound if isinstance(loop, ast.While) else (inside - bound) | behind)
        if known <= live:
            return live
        live |= known


def surely_written(stmts: Sequence[ast.stmt]) -> set[str]:
    """Names that have a new value after these statements on every way through them."""
    written = set[str]()
    for stmt in stmts:
        if isinstance(stmt, ast.If):
            written |= set(stored([stmt.test]))
            left, right = surely_written(stmt.body), surely_written(stmt.orelse)
            ends_left, ends_right = always_leaves(stmt.body), always_leaves(stmt.orelse)
            written |= right if ends_left else left if ends_right else left & right
            if ends_left and ends_right:
                break
        elif isinstance(stmt, ast.With | ast.AsyncWith):
            for item in stmt.items:
                written |= set() if item.optional_vars is None else set(target_names(item.optional_vars))
            written |= surely_written(stmt.body)
        elif isinstance(stmt, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            written.add(stmt.name)
        elif not isinstance(stmt, ast.For | ast.AsyncFor | ast.While | ast.Try | ast.TryStar | ast.Match):
            written |= set(stored([stmt]))
            if isinstance(stmt, ast.Return | ast.Raise | ast.Break | ast.Continue):
                break
    return written


def _read_by_test(test: ast.expr) -> set[str]:
    """Names that a test reads before it binds them itself by `:=`."""
    bound: dict[str, tuple[int, int]] = {}
    for node in walk(test):
        if isinstance(node, ast.NamedExpr):
            end = (node.end_lineno or 0, node.end_col_offset or 0)
            bound[node.target.id] = min(end, bound.get(node.target.id, end))
    names = [n for n in names_around(test) if isinstance(n.ctx, ast.Load)]
    return {n.id for n in names if n.id not in bound or (n.lineno, n.col_offset) < bound[n.id]}


def _loads_of_simple(stmt: ast.AST) -> set[str]:
    if isinstance(stmt, SCOPES):
        return free_names(stmt)
    found = {node.id for node in names_around(stmt) if isinstance(node.ctx, ast.Load)}
    counted = [node.target for node in walk_scope([stmt]) if isinstance(node, ast.AugAssign)]
    return found | {target.id for target in counted if isinstance(target, ast.Name)}


def free_names(fn: ast.AST) -> set[str]:
    """Names that a nested function or class takes from around it (defaults and decorators too)."""
    if isinstance(fn, ast.ClassDef):
        return loaded([fn])
    assert isinstance(fn, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    a = fn.args
    own = {arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg)))}
    body: Sequence[ast.AST] = [fn.body] if isinstance(fn, ast.Lambda) else fn.body
    bound = own | set(stored(body))
    inside: set[str] = set()
    for node in walk_scope(body):
        if isinstance(node, SCOPES):
            inside |= free_names(node)
        elif isinstance(node, ast.Nonlocal):
            bound -= {*node.names}
            inside |= {*node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            inside.add(node.id)
    outside = [*a.defaults, *filter(None, a.kw_defaults), *getattr(fn, "decorator_list", [])]
    return (inside - bound) | loaded(outside)


def shared(
    body: Sequence[ast.stmt], declared: tuple[type[ast.Nonlocal | ast.Global], ...] = (ast.Nonlocal, ast.Global)
) -> set[str]:
    """Names that a function declares to be variables around it (`nonlocal`, `global`)."""
    return {name for node in walk_scope(body) if isinstance(node, declared) for name in node.names}


def written_around(function: ast.AST) -> set[str]:
    """The variables of functions around it that a function writes, or one within it."""
    return {name for node in walk(function) if isinstance(node, ast.Nonlocal) for name in node.names}


def always_leaves(stmts: Sequence[ast.stmt]) -> bool:
    """Whether every way through the statements ends in return, raise, break or continue."""
    for stmt in stmts:
        if isinstance(stmt, ast.Return | ast.Raise | ast.Break | ast.Continue):
            return True
        if isinstance(stmt, ast.If) and stmt.orelse and always_leaves(stmt.body) and always_leaves(stmt.orelse):
            return True
    return False


def names_held(statement: ast.stmt) -> set[str]:
    """The names of which a top-level statement may hold the value for good: where it assigns those of its value, where it
    defines a function those of its defaults; what a lambda looks up when it is called is none.

    Example:
        >>> sorted(names_held(ast.parse("g = partial(f, lambda: h())").body[0]))
        ['f', 'partial']
    """
    if isinstance(statement, ast.FunctionDef):
        parts = [*statement.args.defaults, *filter(None, statement.args.kw_defaults)]
    elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        parts = [statement.value]
    else:
        parts = []
    return {node.id for node in _now(parts) if isinstance(node, ast.Name)}


def _now(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        yield node
        if not isinstance(node, ast.Lambda):
            yield from _now(children(node))


def top_name(statement: ast.stmt) -> str:
    """The name that a top-level statement binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return statement.name
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    return ""


def defaults_of(args: ast.arguments) -> list[tuple[ast.arg, ast.expr | None]]:
    """The parameters that may be left out, each with its default; those by keyword alone with None where they have none."""
    given = [*args.posonlyargs, *args.args][len(args.posonlyargs) + len(args.args) - len(args.defaults) :]
    return [*zip(given, args.defaults, strict=True), *zip(args.kwonlyargs, args.kw_defaults, strict=True)]


def none_by_default(args: ast.arguments) -> set[str]:
    """The parameters that are None where they are left out."""
    return {each.arg for each, default in defaults_of(args) if isinstance(default, ast.Constant) and default.value is None}


def given_for(args: ast.arguments, call: ast.Call) -> dict[str, ast.expr]:
    """What a call gives for a function's parameters, by name, as far as it is written in it."""
    places = itertools.takewhile(lambda each: not isinstance(each, ast.Starred), call.args)
    names = [each.arg for each in (*args.posonlyargs, *args.args)]
    return dict(zip(names, places, strict=False)) | {each.arg: each.value for each in call.keywords if each.arg is not None}
