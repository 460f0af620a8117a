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
    array = next((each.value for each in (one, two) if isinstance(each, ast.Subscript)), None)
    if not isinstance(array, ast.Name | ast.Attribute):
        return ""
    sides = [found for each in (one, two) if (found := _index(each, array)) is not None]
    if len(sides) < 2:
        return ""
    axes = max(map(len, sides))
    parts = [[*each, *[ast.Slice()] * (axes - len(each))] for each in sides]
    apart = [axis for axis in range(axes) if ast.dump(parts[0][axis]) != ast.dump(parts[1][axis])]
    if len(apart) != 1 or not all(isinstance(each, ast.Slice) for each in parts[0][: apart[0]]):
        return ""
    axis = apart[0]
    pair = [each for each in (parts[0][axis], parts[1][axis]) if isinstance(each, ast.Slice) and each.step is None]
    bounds = [bound for each in pair for bound in (each.lower, each.upper) if bound is not None]
    if len(pair) < 2 or not any(traced(spot, bound) for bound in bounds):
        return ""
    size = f"len({spot.code.src(array)})" if not axis else f"{spot.code.src(array)}.shape[{axis}]"
    lower = _bound(spot, test, [each.lower for each in pair], "0")
    upper = _bound(spot, test, [each.upper for each in pair], size)
    index = [ast.unparse(each) for each in parts[0]]
    index[axis] = f"{lower}:{upper}" if not (" " in lower or " " in upper) else f"{lower} : {upper}".strip()
    return f"{spot.code.src(array)}[{', '.join(index)}]"


def _index(node: ast.expr, array: ast.expr) -> list[ast.expr] | None:
    """The parts of an index into the array, none for the array itself; None of anything else."""
    if ast.dump(node) == ast.dump(array):
        return []
    if not isinstance(node, ast.Subscript) or ast.dump(node.value) != ast.dump(array):
        return None
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


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
