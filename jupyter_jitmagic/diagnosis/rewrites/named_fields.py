"""Dicts that are records, one of whose fields is one of a few names: `state["mode"] == "idle"` → variables, one for each field.

A loop carries numbers, and a string in a dict is none; as a variable it is one of a few names (`named_states`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.names import SCOPES, walk, walk_scope

_Edit = tuple[ast.AST | tuple[int, int], str]


def as_variables(spot: Spot) -> Iterator[Step]:
    """`state = {"mode": "idle", "volume": 0.0}` → `state_mode = "idle"`, `state_volume = 0.0`."""
    function, code = spot.function, spot.code
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef):
        return
    if any(isinstance(node, SCOPES) for node in walk(function) if node is not function):
        return
    edits: list[_Edit] = []
    for made in walk_scope(function.body):
        match made:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() as record) if code.on_own_lines([made]):
                edits += _apart(spot, function, made, name, record)
    if edits:
        yield spot.step("fields", *edits)


def _apart(spot: Spot, function: ast.FunctionDef, made: ast.Assign, name: str, record: ast.Dict) -> list[_Edit]:
    """The edits for one dict; none where it is asked for more than its fields, or holds no string."""
    code = spot.code
    begin: dict[str, str] = {}
    for key, value in zip(record.keys, record.values, strict=True):
        match key:
            case ast.Constant(value=str() as text) if text.isidentifier():
                begin[text] = code.expr(value)
            case _:
                return []
    uses = [node for node in walk(function) if isinstance(node, ast.Name) and node.id == name and node not in made.targets]
    fields: list[tuple[ast.Subscript, str]] = []
    for use in uses:
        match code.parents[use]:
            case ast.Subscript(value=value, slice=ast.Constant(value=str() as text)) as field if value is use:
                if text not in begin or isinstance(field.ctx, ast.Del):
                    return []
                fields.append((field, text))
            case _:
                return []
    written = {text for field, text in fields if isinstance(field.ctx, ast.Store)}
    named = [value for value in record.values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    if not written or not named:
        return []
    names = {text: code.fresh(f"{name}_{text}", f"{name}_own_{text}") for text in begin}
    indent = code.indent(made)
    lines = "".join(f"{indent}{names[text]} = {value}\n" for text, value in begin.items())
    return [(code.region([made]), lines), *((field, names[text]) for field, text in fields)]


RULES: list[Rule] = [as_variables]
