"""Dicts that are records, one of whose fields is one of a few names or None: `state["mode"] == "idle"` → variables for fields.

A loop carries numbers, and a string in a dict is none; as a variable it is one of a few names (`named_states`). So is None, for
which a variable has a flag (`none_first`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit
from jupyter_jitmagic.source.names import SCOPES, loaded, walk, walk_scope

_Edit = tuple[ast.AST | tuple[int, int], str]


def as_variables(spot: Spot) -> Iterator[Step]:
    """`state = {"mode": "idle", "volume": 0.0}` → `state_mode = "idle"`, `state_volume = 0.0`."""
    function = spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef):
        return
    if any(isinstance(node, SCOPES) for node in walk(function) if node is not function):
        return
    edits: list[_Edit] = []
    seen: set[str] = set()
    for made in walk_scope(function.body):
        match made:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict()) if name not in seen:
                seen.add(name)
                edits += _apart(spot, function, name)
    if edits:
        yield spot.step("fields", *edits)


def _apart(spot: Spot, function: ast.FunctionDef, name: str) -> list[_Edit]:
    """The edits for one dict; none where it is asked for more than its fields, or holds numbers alone."""
    code = spot.code
    made: list[tuple[ast.Assign, dict[str, ast.expr]]] = []
    fields: list[tuple[ast.Subscript, str]] = []
    for use in (node for node in walk(function) if isinstance(node, ast.Name) and node.id == name):
        match parent := code.parents[use]:
            case ast.Subscript(value=value, slice=ast.Constant(value=str() as text)) if value is use:
                if isinstance(parent.ctx, ast.Del):
                    return []
                fields.append((parent, text))
            case ast.Assign(targets=[target], value=ast.Dict() as record) if target is use and code.on_own_lines([parent]):
                made.append((parent, _fields(record)))
            case _:
                return []
    begin = min(made, key=lambda each: each[0].lineno)[1]
    if not begin or any(set(each) != set(begin) for _, each in made) or any(text not in begin for _, text in fields):
        return []
    written = len(made) > 1 or any(isinstance(field.ctx, ast.Store) for field, _ in fields)
    named = [v for v in begin.values() if isinstance(v, ast.Constant) and (v.value is None or isinstance(v.value, str))]
    if not written or not named:
        return []
    names = {text: code.fresh(f"{name}_{text}", f"{name}_own_{text}") for text in begin}
    within = {node for statement, _ in made for node in walk(statement)}
    edits: list[_Edit] = [(field, names[text]) for field, text in fields if field not in within]
    for statement, values in made:
        inside = [(*code.span(field), names[text]) for field, text in fields if field in {*walk(statement)}]
        edits.append((code.region([statement]), _assigned(spot, statement, names, values, inside)))
    return edits


def _fields(record: ast.Dict) -> dict[str, ast.expr]:
    """The values of a dict by the names that are its keys; nothing where there are other keys."""
    found: dict[str, ast.expr] = {}
    for key, value in zip(record.keys, record.values, strict=True):
        match key:
            case ast.Constant(value=str() as text) if text.isidentifier():
                found[text] = value
            case _:
                return {}
    return found


def _assigned(spot: Spot, statement: ast.Assign, names: dict[str, str], values: dict[str, ast.expr], edits: list[Edit]) -> str:
    """The variables in the place of a dict: each once no other needs what it was before, the rest at once."""
    code, indent = spot.code, spot.code.indent(statement)
    texts = {names[text]: code.edited(*code.span(value), edits) for text, value in values.items()}
    lines: list[str] = []
    while texts:
        free = (
            each for each in texts if not any(each in loaded([ast.parse(texts[other])]) for other in texts if other != each)
        )
        first = next(free, None)
        if first is None:
            lines.append(f"{', '.join(texts)} = {', '.join(texts.values())}")
            break
        lines.append(f"{first} = {texts.pop(first)}")
    return "".join(f"{indent}{line}\n" for line in lines)


RULES: list[Rule] = [as_variables]
