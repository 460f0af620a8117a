"""Items of an argument that its caller may leave out, as the code says: a dict's key that it asks for, one that may be None."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOST_ITEMS = 4


def without_items(bound: Mapping[str, Any], trees: Sequence[ast.AST]) -> Iterator[tuple[str, Any, str]]:
    """(the argument, what it is instead, what is left out), by `"k" in options` and `options.get("k")`."""
    keys = {key for tree in trees for node in ast.walk(tree) for key in _asked_whether_there(node)}
    for name, value in bound.items():
        for key in [key for key in value if key in keys][:MOST_ITEMS] if type(value) is dict else ():
            yield name, {each: item for each, item in value.items() if each != key}, f"{name}[{key!r}]"


def with_none_in(bound: Mapping[str, Any], trees: Sequence[ast.AST]) -> Iterator[tuple[str, Any, str]]:
    """(the argument, what it is instead, what is None), by `lo, hi = limits` and `lo is None`, or `limits[0] is None`."""
    for tree in trees:
        asked = [part for node in ast.walk(tree) for part in _asked_for_none(node)]
        names = {part.id for part in asked if isinstance(part, ast.Name)}
        found = [place for node in ast.walk(tree) for place in _unpacked(node, names)]
        found += [place for part in asked for place in _place(part)]
        for name, at in list(dict.fromkeys(found))[:MOST_ITEMS]:
            value: Any = bound.get(name)
            if type(value) in (tuple, list) and isinstance(at, int) and -len(value) <= at < len(value):
                items: list[Any] = list(value)
                items[at] = None
                changed: Any = type(value)(items)
            elif type(value) is dict and at in value:
                changed = {**value, at: None}
            else:
                continue
            if value[at] is not None:
                yield name, changed, f"{name}[{at!r}]"


def _asked_whether_there(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare(left=ast.Constant(value=str(key)), ops=[ast.In() | ast.NotIn()]):
            yield key
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(key)), *_]):
            yield key


def _asked_for_none(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left=asked, comparators=[ast.Constant(value=None)]):
            yield asked


def _unpacked(node: ast.AST, names: set[str]) -> Iterator[tuple[str, Any]]:
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=parts) | ast.List(elts=parts)], value=ast.Name(id=name)):
            if not any(isinstance(part, ast.Starred) for part in parts):
                yield from ((name, k) for k, part in enumerate(parts) if isinstance(part, ast.Name) and part.id in names)


def _place(asked: ast.expr) -> Iterator[tuple[str, Any]]:
    match asked:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int() | str() as at)):
            yield name, at
