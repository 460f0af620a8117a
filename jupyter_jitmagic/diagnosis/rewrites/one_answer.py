"""A loop over what Python holds that is left with one answer: `for … : if bad: return False`, then `return True`.

Which round finds it makes no difference, so all are run: `found = found | bad`, and behind the loop `return not found`. Python
keeps the loop, with all that it knows in each round (the items of a tuple, what is in a list by then).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.own_conditions import is_fact
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.code import Edit, leaves
from jupyter_jitmagic.source.names import loaded

_MOST_ROUNDS = 64  # each is traced


def one_answer(spot: Spot, loop: ast.For | ast.While) -> Iterator[Step]:
    """The loop with all its rounds, and the answer behind it."""
    code, function = spot.code, spot.function
    if not isinstance(loop, ast.For) or not _goes_over_what_python_holds(spot, loop):
        return
    behind = code.block(loop)[code.block(loop).index(loop) + 1 :]
    match behind:
        case [ast.Return(value=ast.Constant(value=bool(otherwise))) as last] if code.block(loop) is getattr(
            function, "body", []
        ):
            pass
        case _:
            return
    if loop.orelse or leaves(loop.body, ast.Break) or not code.on_own_lines([loop, last]):
        return
    tests: list[ast.If] = []
    for each in leaves(loop.body, ast.Return):
        test = code.parents[each]
        match each, test:
            case ast.Return(value=ast.Constant(value=bool(answer))), ast.If(body=[only], orelse=[]) if (
                only is each and answer is not otherwise and not code.is_elif(test)
            ):
                tests.append(test)
            case _:
                return
    asked = [test for test in tests if not is_fact(spot, test.test)]
    found = code.fresh("found", "is_found")
    edits: list[Edit] = []
    for test in asked:
        start, end = code.region([test])
        edits.append((start, end, f"{code.indent(test)}{found} = {found} | {_operand(spot, test.test)}\n"))
    indent = code.indent(loop)
    returned = f"{spot.jnp('logical_not')}({found})" if otherwise else found
    text = f"{indent}{found} = False\n{code.block_text([loop], indent, edits)}{indent}return {returned}\n"
    yield spot.step("any", (code.region([loop, last], comments=True), text))


def _operand(spot: Spot, test: ast.expr) -> str:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return f"{spot.jnp('logical_not')}({spot.code.expr(inner)})"
    return spot.code.operand(test)


def _goes_over_what_python_holds(spot: Spot, loop: ast.For) -> bool:
    """Whether a tuple, list or dict says how many rounds there are."""
    held = [spot.locals.get(name) for name in loaded([loop.iter])]
    return any(isinstance(each, tuple | list | dict) and len(each) <= _MOST_ROUNDS for each in held)
