"""Integers that could be static and could be data as well: counts and switches from which no shape follows."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator

import numpy as np

from ._call import Call
from ._sites import whole_tree
from ._static_search import Search
from ._types import Found, Site

_CHOICES = frozenset({"if", "ternary", "while", "and", "or", "not", "bool", "max", "min"})


def may_be_data(call: Call, search: Search, found: Found) -> bool:
    """Whether a rewrite is worth a look beside a proven static set: each static argument is a number that only decides between
    branches or counts the rounds of a loop whose body needs no Python number."""
    for name in search.static - call.declared:
        argument = call.argument(name)
        if not isinstance(argument.value, (int, np.integer)) or argument.is_flag:
            return False
        sites = [site for site, roots in zip(found.sites, found.roots, strict=True) if name in roots]
        if not sites or not all(_is_choice(site) or _is_plain_loop(site) for site in sites):
            return False
    return bool(search.static - call.declared)


def _is_choice(site: Site) -> bool:
    return site.operation in _CHOICES and not any(
        _calls(node, site.function) for node in _around(site) if isinstance(node, ast.FunctionDef)
    )


def _is_plain_loop(site: Site) -> bool:
    """A `for` over a range whose rounds neither build a list nor look up Python objects by the loop's number."""
    loops = [node for node in _around(site) if isinstance(node, ast.For) and node.lineno == site.line]
    if site.operation != "range" or not loops:
        return False
    loop = loops[0]
    counters = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    return not any(_needs_python(node, counters) for statement in loop.body for node in ast.walk(statement))


def _needs_python(node: ast.AST, counters: set[str]) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("append", "extend", "insert"):
        return True
    if isinstance(node, (ast.JoinedStr, ast.If, ast.IfExp, ast.While)):
        return any(isinstance(inner, ast.Name) and inner.id in counters for inner in ast.walk(node))
    if isinstance(node, ast.Subscript):
        return any(isinstance(inner, ast.Name) and inner.id in counters for inner in ast.walk(node.slice))
    return False


def _around(site: Site) -> Iterator[ast.AST]:
    """The statements that the site's line is part of."""
    tree = whole_tree("".join(linecache.getlines(site.filename)))
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.stmt) and node.lineno <= site.line <= (node.end_lineno or node.lineno):
            yield node


def _calls(function: ast.AST, name: str) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name for node in ast.walk(function)
    )
