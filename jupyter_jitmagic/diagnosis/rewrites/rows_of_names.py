"""Loops over a table that says names: `for limit, name in GRADES: if x >= limit: return name` → an `if` for each of its rows.

A loop of `lax` has no strings to choose from. Which rows there are is known while tracing, so each has a test of its own, and
which name a test gives is the business of `named_states`.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import SCOPES, stored, target_names, walk, walk_scope

MOST_ROWS = 16
_Row = Mapping[str, str]
"""What stands for each of the loop's variables."""


def tested_one_by_one(spot: Spot) -> Iterator[Step]:
    """A loop whose only line is a test on data that leaves it, or that keeps the last name that passes."""
    asked, code = spot.asked(), spot.code
    test = asked[1] if asked is not None else None
    loop = code.parents[test] if test is not None else None
    if not isinstance(test, ast.If) or not isinstance(loop, ast.For) or loop.body != [test] or test.orelse:
        return
    names = target_names(loop.target)
    read_later = {*code.live_after(loop)} & {*names} or {*names} & {*stored(loop.body)}
    inner = any(isinstance(node, (*SCOPES, ast.JoinedStr)) for node in walk(loop))
    rows = _rows(spot, loop.target, loop.iter)
    if not rows or read_later or inner or not code.on_own_lines([loop]) or leaves(test.body, ast.Continue):
        return
    breaks = leaves(test.body, ast.Break)
    leaves_it = isinstance(test.body[-1], ast.Return | ast.Break)
    if len(breaks) > isinstance(test.body[-1], ast.Break) or (loop.orelse and not leaves_it):
        return
    indent, lines = code.indent(loop), ""
    body = test.body[:-1] if breaks else test.body
    for number, row in enumerate(rows):
        edits = [(*code.span(node), row[node.id]) for node in walk(test) if isinstance(node, ast.Name) and node.id in row]
        word = "elif" if leaves_it and number else "if"
        lines += f"{indent}{word} {code.edited(*code.span(test.test), edits)}:\n"
        lines += code.block_text(body, f"{indent}    ", edits) if body else f"{indent}    pass\n"
    if loop.orelse:
        lines += f"{indent}else:\n{code.block_text(loop.orelse, f'{indent}    ')}"
    yield spot.step("if", (code.region([loop]), lines))


def first_of_names(spot: Spot) -> Iterator[Step]:
    """`next((name for limit, name in GRADES if x >= limit), "F")` → a choice for each row."""
    asked, code = spot.asked(), spot.code
    rounds = asked[1] if asked is not None else None
    made = code.parents[rounds] if isinstance(rounds, ast.comprehension) else None
    match code.parents[made] if made is not None else None, made:
        case (
            ast.Call(func=ast.Name(id="next"), args=[_, default]) as call,
            ast.GeneratorExp(elt=given, generators=[ast.comprehension(target=target, iter=iterated, ifs=[test])]),
        ) if spot.is_builtin("next"):
            rows = _rows(spot, target, iterated)
        case _:
            return
    if not rows or any(isinstance(node, (*SCOPES, ast.JoinedStr)) for node in walk(made)):
        return
    texts = []
    for row in rows:
        edits = [(*code.span(node), row[node.id]) for node in walk(made) if isinstance(node, ast.Name) and node.id in row]
        texts.append(f"{code.edited(*code.span(given), edits)} if {code.edited(*code.span(test), edits)} else ")
    text = "".join(texts) + code.operand(default)
    yield spot.step("if", (call, text if isinstance(code.parents[call], ast.Assign | ast.Return) else f"({text})"))


def _rows(spot: Spot, target: ast.expr, iterated: ast.expr) -> list[_Row]:
    """The rows of a table of Python's own numbers and names, of which some are names; nothing for others."""
    names = [target] if isinstance(target, ast.Name) else target.elts if isinstance(target, ast.Tuple) else []
    held = _held(spot, iterated)
    if not all(isinstance(each, ast.Name) for each in names) or not held or len(held) > MOST_ROWS:
        return []
    found: list[_Row] = []
    for texts, values in held:
        if len(values) != len(names) or not all(isinstance(each, str | int | float) for each in values):
            return []
        found.append({name.id: text for name, text in zip(names, texts, strict=True) if isinstance(name, ast.Name)})
    return found if any(isinstance(each, str) for _, values in held for each in values) else []


def _held(spot: Spot, iterated: ast.expr) -> list[tuple[list[str], list[object]]]:
    """(texts, values) of each row: names as they are written, numbers of a module's table by their place, as it may change."""
    code = spot.code
    written = iterated if isinstance(iterated, ast.List | ast.Tuple) else _only_value(spot, iterated)
    if isinstance(written, ast.List | ast.Tuple):
        try:
            values = ast.literal_eval(written)
        except ValueError:
            return []
        return [
            ([code.src(part) for part in each.elts], [*value])
            if isinstance(each, ast.Tuple | ast.List)
            else ([code.src(each)], [value])
            for each, value in zip(written.elts, values, strict=True)
        ]
    match iterated:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as table, attr="items"), args=[]):
            held = spot.value(table)
            if type(held) is dict and code.is_global(name, iterated) and all(isinstance(key, str) for key in held):
                return [(_texts([key, v], ["", f"{name}[{_quoted(key)}]"]), [key, v]) for key, v in held.items()]
        case ast.Name(id=name) if code.is_global(name, iterated) and type(held := spot.value(iterated)) in (list, tuple):
            return [_row(f"{name}[{place}]", each) for place, each in enumerate(held)]
    return []


def _only_value(spot: Spot, node: ast.expr) -> ast.expr | None:
    """What a variable of the function is set to, where that is done once."""
    function = spot.function
    if not isinstance(node, ast.Name) or not isinstance(function, ast.FunctionDef):
        return None
    if [*stored(function.body)].count(node.id) != 1 or spot.code.is_global(node.id, node):
        return None
    for statement in walk_scope(function.body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == node.id:
                used = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name]
                return value if len(used) == 2 else None  # nothing is added to it
    return None


def _row(table: str, row: object) -> tuple[list[str], list[object]]:
    values = [*row] if isinstance(row, tuple | list) else [row]
    places = [f"{table}[{number}]" for number in range(len(values))] if isinstance(row, tuple | list) else [table]
    return _texts(values, places), values


def _texts(values: Sequence[object], places: Sequence[str]) -> list[str]:
    return [_quoted(value) or place for value, place in zip(values, places, strict=True)]


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else ""


RULES: list[Rule] = [tested_one_by_one, first_of_names]
