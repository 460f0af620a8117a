"""What of its arguments a caller may leave out, as the code says: a dict's key that it asks for, an item that may be None."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

MOST_ITEMS = 4


def without_items(bound: Mapping[str, Any], trees: Sequence[ast.AST]) -> Iterator[tuple[str, Any, str]]:
    """(the argument, what it is instead, what is left out), by `"k" in options` and `options.get("k")`."""
    keys = {key for tree in trees for node in ast.walk(tree) for key in _asked_whether_there(node)}
    for name, value in bound.items():
        for key in [key for key in value if key in keys][:MOST_ITEMS] if type(value) is dict else ():
            yield name, {each: item for each, item in value.items() if each != key}, f"{name}[{key!r}]"


def with_none_in(bound: Mapping[str, Any], trees: Sequence[ast.AST]) -> Iterator[tuple[str, Any, str]]:
    """(the argument, what it is instead, what is None), by `lo, hi = limits` and `lo is None`, or `limits[0] is None`.

    Of what a loop goes over (`for x, (lo, hi) in zip(xs, limits)`) it is in the first item."""
    for tree in trees:
        asked = [part for node in ast.walk(tree) for part in _asked_for_none(node)]
        names = {part.id for part in asked if isinstance(part, ast.Name)}
        found = [place for node in ast.walk(tree) for place in _unpacked(node, names)]
        found += [place for part in asked for place in _place(part)]
        for name, way in list(dict.fromkeys(found))[:MOST_ITEMS]:
            changed = _with_none(bound.get(name), way)
            if changed is not None:
                yield name, changed, name + "".join(f"[{at!r}]" for at in way)


def items_asked_for(name: str, trees: Sequence[ast.AST]) -> Iterator[tuple[str, Any]]:
    """(key, a value that it may have) of a dict, by `options.get("k")` or `options.get("k", 0.1)`: a flag is switched, what
    has no number there is one; a word, which jit takes in no dict, is left out."""
    for node in [each for tree in trees for each in ast.walk(tree)]:
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=owner), attr="get"), args=[ast.Constant(value=str(key)), *default]
            ) if owner == name:
                value = default[0].value if default and isinstance(default[0], ast.Constant) else None
                if isinstance(value, str):
                    continue
                yield key, not value if type(value) is bool else value if type(value) in (int, float) and value else 0.5


def parts_of(name: str, trees: Sequence[ast.AST]) -> int:
    """Into how many parts the code takes an argument apart, by `lo, hi = limits` or `limits[1]`; 0 where it does not."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return max([_taken_apart(node, name) for node in nodes], default=0)


def _taken_apart(node: ast.AST, name: str) -> int:
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=parts)], value=ast.Name(id=whole)) if whole == name:
            return len(parts)
        case ast.Subscript(value=ast.Name(id=whole), slice=ast.Constant(value=int() as at)) if whole == name:
            return at + 1
    return 0


def _with_none(value: Any, way: tuple[Any, ...]) -> Any:
    """A container with None at the end of this way through its items; None where there is none, or it is None already."""
    if not way:
        return None
    at, *rest = way
    if type(value) is dict:
        there = at in value
    else:
        there = type(value) in (tuple, list) and isinstance(at, int) and -len(value) <= at < len(value)
    if not there or value[at] is None:
        return None
    item = _with_none(value[at], tuple(rest)) if rest else None
    if rest and item is None:
        return None
    if type(value) is dict:
        return {**value, at: item}
    items = list(value)
    items[at] = item
    return type(value)(items)


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


Place = tuple[str, tuple[Any, ...]]
"""An argument's name and the way through its items."""


def _unpacked(node: ast.AST, names: set[str]) -> Iterator[Place]:
    match node:
        case ast.Assign(targets=[target], value=ast.Name(id=name)):
            yield from ((name, way) for way in _ways(target, names) if way)
        case ast.For(target=ast.Tuple(elts=parts), iter=ast.Call(func=ast.Name(id="zip"), args=over)):
            for part, each in zip(parts, over, strict=False):
                if isinstance(each, ast.Name):
                    yield from ((each.id, (0, *way)) for way in _ways(part, names))
        case ast.For(target=target, iter=ast.Name(id=name)):
            yield from ((name, (0, *way)) for way in _ways(target, names))


def _ways(target: ast.expr, names: set[str]) -> Iterator[tuple[int, ...]]:
    """Where in what is assigned to a target those stand that get these names."""
    if isinstance(target, ast.Name) and target.id in names:
        yield ()
    elif isinstance(target, ast.Tuple | ast.List) and not any(isinstance(part, ast.Starred) for part in target.elts):
        yield from ((k, *way) for k, part in enumerate(target.elts) for way in _ways(part, names))


def _place(asked: ast.expr) -> Iterator[Place]:
    match asked:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int() | str() as at)):
            yield name, (at,)


def names_asked_for_none(tree: ast.AST) -> Iterator[ast.Name]:
    """Names that a source compares with None, or takes another value for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(
            isinstance(part, ast.Constant) and part.value is None for part in node.comparators
        ):
            yield from (part for part in (node.left,) if isinstance(part, ast.Name))
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            yield from (part for part in node.values[:-1] if isinstance(part, ast.Name))


def asked_together(names: Sequence[str], tree: ast.AST) -> Iterator[list[str]]:
    """Those of these names that one test asks for, one of them for None: `if c is not None and periods > 0`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BoolOp) and not {*names}.isdisjoint(part.id for part in names_asked_for_none(node)):
            found = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            yield [name for name in names if name in found]


def handed_on(options: str, trees: Sequence[ast.AST]) -> dict[str, int | float]:
    """What a caller may give by `**options`: numbers that are optional where they are handed on, `helper(x, **options)`."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    called = {
        node.func.id
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and any(map(_is_all_of(options), node.keywords))
    }
    found: dict[str, int | float] = {}
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and node.name in called:
            args = node.args
            pairs = [
                *zip(args.args[::-1], args.defaults[::-1], strict=False),
                *zip(args.kwonlyargs, args.kw_defaults, strict=True),
            ]
            for parameter, default in pairs:
                if isinstance(default, ast.Constant | ast.UnaryOp):
                    value = ast.literal_eval(default)
                    found |= {parameter.arg: value} if type(value) in (int, float) else {}
    return dict(list(found.items())[:MOST_ITEMS])


def _is_all_of(options: str) -> Callable[[ast.keyword], bool]:
    return lambda given: given.arg is None and isinstance(given.value, ast.Name) and given.value.id == options


def picks(tree: ast.AST, name: str) -> bool:
    """Whether a source takes elements by a name, as by a mask: `x[name]`."""
    places = (node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript))
    return any(isinstance(each, ast.Name) and each.id == name for place in places for each in ast.walk(place))


def looked_up(tree: ast.AST, name: str) -> bool:
    """Whether elements of an array of this name are taken by labels, as of a table: `name[labels]`."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name))
    return any(isinstance(each.value, ast.Name) and each.value.id == name for each in found)


def draws(tree: ast.AST) -> Iterator[str]:
    """Names of keys that JAX's random functions are called with, as they are spelled."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute() as drawing, args=[ast.Name(id=name), *_]):
                if _DRAWING.search(ast.unparse(drawing)):
                    yield name


_DRAWING = re.compile(r"\b(random|jr|jrandom)\.(?!key$|PRNGKey$)\w+$")
