"""Dicts whose keys are places of an array, as `dist = {(0, 0): 0}` of a search through a grid: a set of these places, and an
array of what each holds, which other rules know."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.inlining import in_another_function
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.names import bound_once, loaded, walk

_Edit = tuple[ast.AST | tuple[int, int], str]


def as_set_and_array(spot: Spot) -> Iterator[Step]:
    """`(i, j) not in dist`, `dist[(i, j)] = dist[(r, c)] + 1`, `dist.get((2, 2), -1)`, where `grid[i, j]` is asked as well."""
    function = spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef):
        return
    if any(isinstance(each, ast.Try) for each in walk(function)):
        return  # a key that is not there may be handled
    for node in walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=[ast.Tuple() as first], values=[begun]) as made):
                pass
            case _:
                continue
        if bound_once(function, name) is made and spot.code.on_own_lines([node]):
            edits = _edits(spot, function, node, name, first, begun)
            if edits:
                spot.refuse_where_caught(KeyError)
                yield spot.step("set", *edits)
                return


def _edits(
    spot: Spot, function: ast.FunctionDef, made: ast.Assign, name: str, first: ast.Tuple, begun: ast.expr
) -> list[_Edit]:
    code = spot.code
    places, values = code.fresh(f"{name}_places", f"places_of_{name}"), code.fresh(f"{name}_values", f"values_of_{name}")
    edits: list[_Edit] = []
    stored: list[ast.Tuple] = []
    asked: list[tuple[ast.Call, ast.Tuple, ast.expr]] = []
    given = [begun]
    for use in [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]:
        if in_another_function(code, use, function):
            return []
        match code.parents[use]:
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[over], left=ast.Tuple()) if over is use:
                edits.append((use, places))
            case ast.Subscript(value=value, slice=ast.Tuple() as key) as item if value is use:
                statement = code.statement(item)
                if isinstance(item.ctx, ast.Load):
                    edits.append((use, values))
                elif isinstance(statement, ast.Assign) and statement.targets == [item] and code.on_own_lines([statement]):
                    start = code.region([statement])[0]
                    edits += [((start, start), f"{code.indent(statement)}{places}.add(({_key(spot, key)}))\n"), (use, values)]
                    stored.append(key)
                    given.append(statement.value)
                else:
                    return []
            case ast.Attribute(attr="get") as method:
                match code.parents[method]:
                    case ast.Call(args=[ast.Tuple() as key, default], keywords=[]) as call:
                        asked.append((call, key, default))
                    case _:
                        return []
            case ast.Call(func=ast.Name(id="len"), args=[_]):
                edits.append((use, places))
            case _:
                return []
    array = _array_of(spot, function, stored)
    facts = [spot.fact(each) for each in given]
    if not array or not stored or any(fact is None or fact.ndim != 0 for fact in facts):
        return []
    if all(fact is not None and fact.dtype == "b" for fact in facts):
        return []  # a set is written so
    kind = "int" if all(fact is not None and fact.dtype in ("i", "u", "b") for fact in facts) else "float"
    for call, key, default in asked:  # perhaps of a place beyond the array, at which a mask would tell of its last
        index, inside = (
            _key(spot, key),
            " and ".join(_inside(spot, part, f"{array}.shape[{k}]") for k, part in enumerate(key.elts)),
        )
        edits.append((call, f"({values}[{index}] if {inside} and ({index}) in {places} else {code.operand(default)})"))
    kind = f"{array}.dtype" if kind == "float" and array in loaded([begun]) else kind
    indent, index = code.indent(made), _key(spot, first)
    lines = f"{indent}{places} = {{({index})}}\n{indent}{values} = {spot.np('zeros')}({array}.shape, {kind})\n"
    lines += f"{indent}{values}[{index}] = {code.expr(begun)}\n"
    return [(code.region([made]), lines), *edits]


def _inside(spot: Spot, part: ast.expr, size: str) -> str:
    known = isinstance(part, ast.Constant) and isinstance(part.value, int) and part.value >= 0
    return f"{spot.code.operand(part)} < {size}" if known else f"0 <= {spot.code.operand(part)} < {size}"


def _key(spot: Spot, key: ast.Tuple) -> str:
    return ", ".join(map(spot.code.expr, key.elts))


def _array_of(spot: Spot, function: ast.FunctionDef, keys: list[ast.Tuple]) -> str:
    """The array that is asked at one of these places as well."""
    wanted = {ast.unparse(key).strip("()") for key in keys}
    for node in walk(function):
        match node:
            case ast.Subscript(value=ast.Name(id=array) as asked, slice=ast.Tuple() as index, ctx=ast.Load()):
                fact = spot.fact(asked)
                alike = fact is not None and fact.sort in ("array", "host") and fact.ndim == len(index.elts)
                if alike and ast.unparse(index).strip("()") in wanted:
                    return array
    return ""


RULES: list[Rule] = [as_set_and_array]
