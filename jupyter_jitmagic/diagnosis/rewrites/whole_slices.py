"""`last = out[-4:] if len(out) >= 4 else out` of a list that grows: `out[-4:]`, which is all of a shorter list as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import walk


def without_the_question(spot: Spot) -> Iterator[Step]:
    """The slice alone, where the trace stopped in a loop that appends to the list."""
    code = spot.code
    around = [each for each in code.ancestors(spot.node) if isinstance(each, ast.For | ast.While)]
    grown = {
        node.func.value.id
        for loop in around[-1:]
        for node in walk(loop)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append"
        if isinstance(node.func.value, ast.Name)
    }
    if not grown or not isinstance(spot.function, ast.FunctionDef):
        return
    for node in walk(spot.function):
        if isinstance(node, ast.IfExp) and (part := _slice_of(node, grown)) is not None and spot.is_builtin("len"):
            yield spot.step("slice", (node, code.src(part)))
            return


def _slice_of(choice: ast.IfExp, names: set[str]) -> ast.Subscript | None:
    """The slice of k items, where the list itself stands beside it for no more than k."""
    match choice:
        case ast.IfExp(
            test=ast.Compare(left=ast.Call(func=ast.Name(id="len"), args=[counted]), ops=[how], comparators=[bound]),
            body=body,
            orelse=orelse,
        ):
            pass
        case _:
            return None
    part, whole = (body, orelse) if isinstance(how, ast.Gt | ast.GtE) else (orelse, body)
    match part:
        case ast.Subscript(
            value=listed, slice=ast.Slice(lower=ast.UnaryOp(op=ast.USub(), operand=most), upper=None, step=None)
        ):
            pass
        case ast.Subscript(value=listed, slice=ast.Slice(lower=None, upper=most, step=None)) if most is not None:
            pass
        case _:
            return None
    same = isinstance(whole, ast.Name) and whole.id in names and ast.dump(whole) == ast.dump(listed) == ast.dump(counted)
    most_in_whole = isinstance(how, ast.Gt | ast.GtE | ast.Lt | ast.LtE) and ast.dump(bound) == ast.dump(most)
    positive = isinstance(most, ast.Constant) and isinstance(most.value, int) and most.value > 0
    return part if same and most_in_whole and positive else None


RULES: list[Rule] = [without_the_question]
