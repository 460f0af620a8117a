"""With what a source compares: the numbers and words at which its branches turn."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeGuard

from jupyter_jitmagic.source.names import defaults_of


def compared_numbers(tree: ast.AST, names: Mapping[str, Any] = MappingProxyType({})) -> Iterator[float]:
    """The numbers with which a source compares, those of `match` too; then the defaults of parameters with which it does, and
    the numbers among `names` (its globals)."""
    named: dict[str, None] = {}
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            parts = [node.value]
        for part in (inner for root in parts for inner in ast.walk(root)):
            if isinstance(part, ast.Constant) and _is_number(part.value):
                yield part.value
                yield -part.value
            elif isinstance(part, ast.Name):
                named[part.id] = None
    known = {**names, **dict(_defaults(tree))} if named else {}
    yield from (known[name] for name in named if _is_number(known.get(name)))


def _is_number(value: Any) -> TypeGuard[float]:
    return type(value) in (int, float)


def _defaults(tree: ast.AST) -> Iterator[tuple[str, Any]]:
    """The parameters of a source's functions that have a literal as a default, with it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            for name, value in defaults_of(node.args):
                match value:
                    case ast.Constant(value=known):
                        yield name.arg, known
                    case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as known)):
                        yield name.arg, -known


def names_tested(tree: ast.AST) -> set[str]:
    """The names whose truth a source asks for: `if flag and x > 0`, `if flag is True`."""
    tests = [node.test for node in ast.walk(tree) if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert)]
    parts = [part for test in tests for part in _parts(test)]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def _parts(test: ast.expr) -> Iterator[ast.expr]:
    match test:
        case ast.BoolOp(values=values):
            yield from (part for value in values for part in _parts(value))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _parts(operand)
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=bool())]):
            yield left
        case _:
            yield test


def compared_words(tree: ast.AST, names: Mapping[str, Any] = MappingProxyType({})) -> Iterator[str]:
    """The strings with which a source compares or that name entries, and those that begin and end as it asks of others; then
    those of the dicts among `names` (its globals) in which it looks something up."""
    tables: dict[str, None] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Name(id=table)) | ast.Call(func=ast.Attribute(value=ast.Name(id=table), attr="get")):
                tables[table] = None
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=table)]):
                tables[table] = None
        if isinstance(node, ast.Compare | ast.MatchValue | ast.Dict):
            roots = [k for k in node.keys if k] if isinstance(node, ast.Dict) else [node]
            for part in (inner for root in roots for inner in ast.walk(root)):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value
    for begins, ends in _affixes(tree).values():
        yield from _with_affixes(begins, ends)
    for table in tables:
        entries = names.get(table)
        yield from (key for key in entries if type(key) is str) if type(entries) is dict else ()


def compared_with(tree: ast.AST, name: str) -> Iterator[int | str]:
    """The whole numbers and words with which a source compares the variable of this name; words that begin and end as it
    asks of that, too."""
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.Match):
            parts = [
                node.subject,
                *(inner.value for each in node.cases for inner in ast.walk(each.pattern) if isinstance(inner, ast.MatchValue)),
            ]
        if any(isinstance(part, ast.Name) and part.id == name for part in parts):
            for part in (inner for root in parts for inner in _but_for_keys(root)):
                if isinstance(part, ast.Constant) and isinstance(part.value, int | str) and not isinstance(part.value, bool):
                    yield part.value
    for asked, (begins, ends) in _affixes(tree).items():
        if asked == name:
            yield from _with_affixes(begins, ends)


def _but_for_keys(node: ast.AST) -> Iterator[ast.AST]:
    """An expression's nodes but those that say which item of something is meant: of `stock["tea"]` no word is compared."""
    yield node
    parts: list[ast.AST] = list(ast.iter_child_nodes(node))
    match node:
        case ast.Subscript(value=owner):
            parts = [owner]
        case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[_, *defaults]):
            parts = [owner, *defaults]
    for part in parts:
        yield from _but_for_keys(part)


def _affixes(tree: ast.AST) -> dict[str, tuple[list[str], list[str]]]:
    """With what a source asks whether words begin (`kind.startswith("up")`) and end, by the names of their variables."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=word, attr="startswith" | "endswith" as asked), args=[affix, *_]):
                parts = [part.value for part in ast.walk(affix) if isinstance(part, ast.Constant)]
                for name in [part.id for part in ast.walk(word) if isinstance(part, ast.Name)]:
                    place = found.setdefault(name, ([], []))[asked == "endswith"]
                    place += [part for part in parts if isinstance(part, str) and part not in place]
    return found


def _with_affixes(begins: list[str], ends: list[str]) -> Iterator[str]:
    """Words that begin and end so; then those that do one of the two alone, where others are asked for both."""
    yield from (begin + end for begin in begins or [""] for end in ends or [""])
    if begins and ends:
        yield from (*begins, *ends)
