"""A choice between slices of one array becomes one slice with chosen bounds: `x[i:] if k is None else x[i : i + k]` →
`x[i : len(x) if k is None else i + k]`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import traced


def in_an_expression(spot: Spot) -> Iterator[Step]:
    for node in (spot.node, *spot.code.ancestors(spot.node)):
        if isinstance(node, ast.stmt):
            return
        if isinstance(node, ast.IfExp) and spot.node is not node.test:
            text = _sliced(spot, node.test, node.body, node.orelse)
            if text:
                yield spot.step("slice", (node, text))
                return


def in_a_statement(spot: Spot) -> Iterator[Step]:
    """The same name given both, in an `if` with its `else`."""
    code = spot.code
    node = next((at for at in code.ancestors(spot.node) if isinstance(at, ast.If)), None)
    match node:
        case ast.If(
            body=[ast.Assign(targets=[ast.Name(id=name)], value=one)],
            orelse=[ast.Assign(targets=[ast.Name(id=other)], value=two)],
        ) if name == other and spot.node is not node.test and not code.is_elif(node) and code.on_own_lines([node]):
            text = _sliced(spot, node.test, one, two)
            if text:
                yield spot.step("slice", (code.region([node]), f"{code.indent(node)}{name} = {text}\n"))


def _sliced(spot: Spot, test: ast.expr, one: ast.expr, two: ast.expr) -> str:
    """ "" where both are not cut of one array along one axis, by data on a side."""
    cut, other = (each if isinstance(each, ast.Subscript) else None for each in (one, two))
    array = next((each.value for each in (cut, other) if each is not None), None)
    if not isinstance(array, ast.Name | ast.Attribute):
        return ""
    sides = [_index(each, array) for each in (one, two)]
    if any(each is None for each in sides):
        return ""
    longest = max(len(each) for each in sides if each is not None)
    parts = [[*each, *[ast.Slice()] * (longest - len(each))] for each in sides if each is not None]
    apart = [axis for axis, pair in enumerate(zip(*parts, strict=True)) if ast.dump(pair[0]) != ast.dump(pair[1])]
    if len(apart) != 1:
        return ""
    axis = apart[0]
    pair = parts[0][axis], parts[1][axis]
    before = parts[0][:axis]
    if not all(isinstance(each, ast.Slice) and each.step is None for each in pair) or not all(map(_is_slice, before)):
        return ""
    bounds = [bound for each in pair if isinstance(each, ast.Slice) for bound in (each.lower, each.upper) if bound is not None]
    if not any(traced(spot, bound) for bound in bounds):
        return ""
    size = f"len({spot.code.src(array)})" if not axis else f"{spot.code.src(array)}.shape[{axis}]"
    lower = _bound(spot, test, [each.lower for each in pair if isinstance(each, ast.Slice)], "0")
    upper = _bound(spot, test, [each.upper for each in pair if isinstance(each, ast.Slice)], size)
    index = [spot.code.src(each) if _bounds(each) else ":" for each in parts[0]]
    index[axis] = f"{lower}:{upper}" if not (" " in lower or " " in upper) else f"{lower} : {upper}".strip()
    return f"{spot.code.src(array)}[{', '.join(index)}]"


def _index(node: ast.expr, array: ast.expr) -> list[ast.expr] | None:
    """The parts of an index into the array, none for the array itself; None of anything else."""
    if ast.dump(node) == ast.dump(array):
        return []
    if not isinstance(node, ast.Subscript) or ast.dump(node.value) != ast.dump(array):
        return None
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def _is_slice(part: ast.expr) -> bool:
    return isinstance(part, ast.Slice)


def _bounds(part: ast.expr) -> bool:
    return not isinstance(part, ast.Slice) or any(each is not None for each in (part.lower, part.upper, part.step))


def _bound(spot: Spot, test: ast.expr, pair: list[ast.expr | None], missing: str) -> str:
    """One bound of both sides; "" where neither has it."""
    one, two = (missing if each is None else spot.code.operand(each) for each in pair)
    if pair[0] is None and pair[1] is None:
        return ""
    if one == two:
        return one
    one, two = (missing if each is None else spot.code.expr(each) for each in pair)
    return f"({one} if {spot.code.expr(test)} else {two})"


RULES: list[Rule] = [in_an_expression, in_a_statement]
