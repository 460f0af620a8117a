"""Variables of a library (flax's, nnx's) whose value is written below a test on data: a name in its place, written behind it.

The library hands on what its variables hold when the call ends, so that writing back the same value changes nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from jupyter_jitmagic.diagnosis.rewrites.attributes import chosen_or_repeated, in_their_place
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import SCOPES


def written_behind(spot: Spot) -> Iterator[Step]:
    """`if test: mean.value = new` → `mean_value = mean.value`, `if test: mean_value = new`, `mean.value = mean_value`."""
    statement = chosen_or_repeated(spot)
    if statement is None:
        return
    code, held = spot.code, {}
    places = [node for node in ast.walk(statement) if isinstance(node, ast.Attribute | ast.Subscript) and _asks_value(node)]
    for node in places:
        if isinstance(node.ctx, ast.Store) and _is_variable(owner := spot.held(node.value)):
            held[code.src(node.value)] = owner
    if not held or not all(_is_asked_alone(spot, statement, text, owner) for text, owner in held.items()):
        return
    places = [node for node in places if code.src(node.value) in held]
    if len({code.src(node) for node in places}) > len(held):
        return  # `mean.value` and `mean[...]`: one of them would be the old one
    names = {code.src(node): f"{code.src(node.value).rpartition('.')[2]}_value" for node in places}
    if len({*names.values()}) < len(names):
        names = {code.src(node): f"{code.src(node.value).replace('.', '_')}_value" for node in places}
    yield in_their_place(spot, statement, places, names)


def _asks_value(node: ast.Attribute | ast.Subscript) -> bool:
    """Whether it is `….value`, or `…[...]` as nnx has it."""
    if isinstance(node, ast.Attribute):
        return node.attr == "value"
    return isinstance(node.slice, ast.Constant) and node.slice.value is ...


def _is_variable(owner: Any) -> bool:
    return any(kind.__name__ == "Variable" and kind.__module__.partition(".")[0] == "flax" for kind in type(owner).__mro__)


def _is_asked_alone(spot: Spot, statement: ast.stmt, text: str, owner: Any) -> bool:
    """Whether nothing in the statement may see a variable but by its value: no other name of it, no method of who holds it."""
    code, root = spot.code, text.partition(".")[0]
    for node in ast.walk(statement):
        if isinstance(node, SCOPES) and root in {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}:
            return False
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        parent = code.parents[node]
        if code.src(node) == text:
            if not (isinstance(parent, ast.Attribute | ast.Subscript) and parent.value is node and _asks_value(parent)):
                return False
        elif spot.held(node) is owner:
            return False
        elif isinstance(node, ast.Name) and node.id == root:
            method = isinstance(parent, ast.Attribute) and hasattr(type(spot.held(node)), parent.attr)
            if not isinstance(parent, ast.Attribute) or (method and isinstance(code.parents[parent], ast.Call)):
                return False
    return True


RULES: list[Rule] = [written_behind]
