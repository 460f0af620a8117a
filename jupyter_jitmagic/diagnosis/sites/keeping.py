"""Where a tracer was kept beyond its trace: the statement that JAX's own words and the source lead to."""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Iterator
from typing import NamedTuple

from jupyter_jitmagic.base.jax_internals import traced_when_kept

_KEEPING = frozenset({"add", "append", "appendleft", "extend", "insert", "put", "setdefault", "update"})


class Keeping(NamedTuple):
    """The function whose tracer was kept, what traced it ("scan"), and the one statement that keeps something outside it."""

    function: str
    traced_by: str
    filename: str
    line: int
    code: str


def keeping(error: BaseException, name: str = "") -> Keeping | None:
    """Where the tracer of an `UnexpectedTracerError` was kept; `name`: of what holds it, where that is known.

    None where that is not certain: several statements may have done it, or a function that this one called.
    """
    found = traced_when_kept(error)
    if found is None:
        return None
    function, filename, first_line, traced_by = found
    definition = _definition(filename, function, first_line)
    kept = [] if definition is None else list(_kept_outside(definition))
    named = [place for place in kept if place.root == name] or [place for place in kept if name in place.words]
    places = {place.statement for place in (named if name else kept)}
    if len(places) != 1:
        return None
    line = places.pop().lineno
    return Keeping(function, traced_by, filename, line, linecache.getline(filename, line).strip())


@functools.lru_cache(maxsize=8)
def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except SyntaxError:
        return None


def _definition(filename: str, name: str, line: int) -> ast.FunctionDef | None:
    """The `def` of this name whose first line, decorators included, is this one."""
    tree = _tree("".join(linecache.getlines(filename)))
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.FunctionDef) and node.name == name and line in _heads(node):
            return node
    return None


def _heads(node: ast.FunctionDef) -> list[int]:
    return [node.lineno, *(decorator.lineno for decorator in node.decorator_list)]


class _Kept(NamedTuple):
    """A statement that puts something into what its function has not made: the name it begins with, and all names in it."""

    statement: ast.stmt
    root: str
    words: frozenset[str]


def _kept_outside(definition: ast.FunctionDef) -> Iterator[_Kept]:
    outer = {each for node in ast.walk(definition) if isinstance(node, ast.Global | ast.Nonlocal) for each in node.names}
    parameters = {each.arg for each in ast.walk(definition.args) if isinstance(each, ast.arg)}
    bound = {each.id for each in ast.walk(definition) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    own = (bound | parameters - {"self"}) - outer
    for node in ast.walk(definition):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=held, attr=attribute))) if attribute in _KEEPING:
                targets, changed = [held], True
            case ast.Assign(targets=given):
                targets, changed = [part for each in given for part in _parts(each)], False
            case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
                targets, changed = [target], False
            case _:
                continue
        for each in targets:
            root, words = _root(each)
            if root and root not in own and (changed or not isinstance(each, ast.Name) or root in outer):
                yield _Kept(node, root, words)


def _parts(target: ast.expr) -> list[ast.expr]:
    return target.elts if isinstance(target, ast.Tuple | ast.List) else [target]


def _root(target: ast.expr) -> tuple[str, frozenset[str]]:
    """The name that an expression like ``a.b["c"]`` begins with, "" for any other, and this and its attributes."""
    words = set()
    while isinstance(target, ast.Attribute | ast.Subscript):
        if isinstance(target, ast.Attribute):
            words.add(target.attr)
        target = target.value
    return (target.id, frozenset({target.id, *words})) if isinstance(target, ast.Name) else ("", frozenset())
