"""Python loops in the user's source: what they surround, and whether their rounds need a Python number."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.sites.operations import whole_tree
from jupyter_jitmagic.diagnosis.types import Site


def surrounds(site: Site, lines: set[tuple[str, int]]) -> bool:
    """Whether the loop at `site` has one of the (filename, line) in its body."""
    loop = _loop_at(site)
    if loop is None:
        return False
    last = loop.end_lineno or loop.lineno
    return any(filename == site.filename and loop.lineno <= line <= last for filename, line in lines)


def is_plain_loop(site: Site) -> bool:
    """A `for` over a range whose rounds neither build a list nor look up Python objects by the loop's number."""
    loop = _loop_at(site)
    if site.operation != "range" or not isinstance(loop, ast.For):
        return False
    counters = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    return not any(_needs_python(node, counters) for statement in loop.body for node in ast.walk(statement))


def builds_python(site: Site) -> bool:
    """A loop whose rounds append to a list, fill a dict or make text by the loop's number: its count is a Python number."""
    loop = _loop_at(site)
    if not isinstance(loop, ast.For):
        return site.operation == "range" and _builds_a_list(site)
    counters = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    inside = [node for statement in loop.body for node in ast.walk(statement)]
    if any(_appends(node) or _makes_text(node, counters) for node in inside):
        return True
    filled = {
        node.value.id
        for node in inside
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
    }
    return any(
        isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and _names(node.targets[0], filled)
        for statement in statements_around(site)
        for node in ast.walk(statement)
    )


def _builds_a_list(site: Site) -> bool:
    """`[… for i in range(n)]`, of which nobody takes the sum at once."""
    summed = set()
    for node in (inner for statement in statements_around(site) for inner in ast.walk(statement)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sum" and len(node.args) == 1:
            summed.add(node.args[0])
    return any(
        isinstance(node, ast.ListComp | ast.DictComp | ast.GeneratorExp)
        and node not in summed
        and any(g.iter.lineno == site.line and isinstance(g.iter, ast.Call) for g in node.generators)
        for statement in statements_around(site)
        for node in ast.walk(statement)
    )


def _needs_python(node: ast.AST, counters: set[str]) -> bool:
    if _appends(node) or _makes_text(node, counters):
        return True
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        return _names(node.test, counters)
    return isinstance(node, ast.Subscript) and _names(node.slice, counters)


def _appends(node: ast.AST) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr in ("append", "extend", "insert")


def _makes_text(node: ast.AST, counters: set[str]) -> bool:
    return isinstance(node, ast.JoinedStr) and _names(node, counters)


def _names(node: ast.AST, counters: set[str]) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id in counters for inner in ast.walk(node))


def statements_around(site: Site) -> Iterator[ast.stmt]:
    """The statements that the site's line is part of."""
    tree = whole_tree("".join(linecache.getlines(site.filename)))
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.stmt) and node.lineno <= site.line <= (node.end_lineno or node.lineno):
            yield node


def _loop_at(site: Site) -> ast.For | ast.While | None:
    for node in statements_around(site):
        if isinstance(node, (ast.For, ast.While)) and node.lineno == site.line:
            return node
    return None
