"""What a function returns that no compiled code can choose between: None or a number, one text or another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from jupyter_jitmagic.diagnosis.statics.otherwise import tree_of
from jupyter_jitmagic.source.names import always_leaves, walk_scope
from jupyter_jitmagic.source.nones import is_sure
from jupyter_jitmagic.source.units import plain_function

_NONE = ast.Constant(None)


def why_not(fun: Any) -> str:
    """Why no array holds what a function returns by data, with what may be done about it; "" where nothing is known."""
    function = plain_function(fun)
    if function is None:
        return ""
    nodes = (node for node in ast.walk(tree_of(function)) if isinstance(node, ast.FunctionDef))
    tree = next((node for node in nodes if node.name == function.__name__), None)
    for values in _by_place(tree).values() if tree is not None else ():
        constants = {value.value for value in values if isinstance(value, ast.Constant)}
        texts = sorted(each for each in constants if isinstance(each, str))
        if len(texts) > 1 or (texts and len(values) > 1):
            given = " or ".join(map(repr, texts))
            return f"it returns {given}; where data decides which, a number may do in its place, as compiled code gives no text"
        if None in constants and not all(isinstance(value, ast.Constant) and value.value is None for value in values):
            return (
                "it returns None or a value; where data decides which, a number may do in the place of None, as -1 or nan: "
                "compiled code always gives the same structure"
            )
    return ""


def _by_place(function: ast.FunctionDef) -> dict[object, list[ast.expr]]:
    """What may be returned, by its place in a tuple (0 where none is) or its key in a dict."""
    values = [node.value or _NONE for node in walk_scope(function.body) if isinstance(node, ast.Return)]
    if values and not (always_leaves(function.body) or isinstance(function.body[-1], ast.While)):
        values.append(_NONE)
    found: dict[object, list[ast.expr]] = {}
    for value in values:
        for whole in _assigned(function, value):
            for place, part in _parts(whole):
                found.setdefault(place, []).extend(_assigned(function, part))
    return found


def _parts(whole: ast.expr) -> Iterator[tuple[object, ast.expr]]:
    match whole:
        case ast.Tuple(elts=parts):
            yield from enumerate(parts)
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            yield 0, whole
            yield from ((("key", key.value), value) for key, value in pairs if isinstance(key, ast.Constant))
        case _:
            yield 0, whole


def _assigned(function: ast.FunctionDef, value: ast.expr) -> list[ast.expr]:
    """What a name may stand for, as the function assigns it, and both sides of a choice; any other expression is itself."""
    found = [value]
    if isinstance(value, ast.Name):
        sure = is_sure(function, value)
        assigned = [each for target, each in _assignments(function) if target == value.id]
        found = [each for each in assigned if not (sure and isinstance(each, ast.Constant) and each.value is None)] or found
    sides = ([each.body, each.orelse] if isinstance(each, ast.IfExp) else [each] for each in found)
    return [side for both in sides for side in both]


def _assignments(function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    for node in walk_scope(function.body):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                yield from ((name.id, value) for name, value in zip(names, values, strict=False) if isinstance(name, ast.Name))
