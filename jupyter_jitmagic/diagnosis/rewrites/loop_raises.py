"""`raise` inside a loop: the loop is left there, and the raise stands behind it, where it can become a check."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.checks import is_caught, said_before
from jupyter_jitmagic.diagnosis.rewrites.numbered import negated
from jupyter_jitmagic.diagnosis.rewrites.own_conditions import raised_by_data
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.code import leaves


def behind_the_loop(spot: Spot, loop: ast.For | ast.While) -> Iterator[Step]:
    """`while a: if b: raise E` → `failed = False; while a: if b: failed = True; break`, then `if failed: raise E`."""
    raised = next(iter(raised_by_data(spot, loop.body)), None)
    if raised is None:
        return
    code = spot.code
    inmost = next((at for at in code.ancestors(raised) if isinstance(at, ast.For | ast.While)), None)
    if inmost is None or is_caught(spot, raised) or not isinstance(raised.exc, ast.Call | ast.Name):
        return
    block = code.block(raised)
    moved = [*said_before(raised, block[: block.index(raised)]), raised]
    if not (code.on_own_lines(moved) and code.on_own_lines([inmost])):
        return
    if any(raised in ast.walk(each) for each in inmost.orelse):
        return
    if isinstance(inmost, ast.While) and _begins_each_round(inmost, raised):
        yield _in_the_test(spot, inmost, raised)
        return
    if isinstance(inmost, ast.While) and _ends_each_round(inmost, moved):
        yield _known_at_its_end(spot, inmost, moved)
        return
    failed = code.fresh("failed", "invalid", "refused", "wrong")
    indent, inner = code.indent(inmost), code.indent(raised)
    start, end = code.region([inmost])
    lines = f"{inner}{failed} = True\n{inner}break\n"
    behind = f"{indent}if {failed}:\n{code.block_text(moved, indent + '    ')}"
    yield spot.step(
        "break",
        ((start, start), f"{indent}{failed} = False\n"),
        (code.region(moved), lines),
        ((end, end), behind),
    )


def _begins_each_round(loop: ast.While, raised: ast.Raise) -> bool:
    """Whether `while a:` begins with `if b: raise`, and ends by its test alone."""
    first = loop.body[0]
    if not isinstance(first, ast.If) or first.body != [raised] or loop.orelse or leaves(loop.body, (ast.Break, ast.Return)):
        return False
    alone = len(loop.body) == 1 and not first.orelse
    bound = any(isinstance(n, ast.NamedExpr) for test in (loop.test, first.test) for n in ast.walk(test))
    return not (alone or bound or isinstance(loop.test, ast.Constant))


def _ends_each_round(loop: ast.While, moved: list[ast.stmt]) -> bool:
    """Whether `while a:` ends with `if b: raise`, and nothing else leaves a round."""
    last = loop.body[-1]
    if not isinstance(last, ast.If) or last.body != moved or last.orelse or loop.orelse:
        return False
    return not leaves(loop.body, (ast.Break, ast.Continue, ast.Return)) and len(leaves(loop.body, ast.Raise)) == 1


def _known_at_its_end(spot: Spot, loop: ast.While, moved: list[ast.stmt]) -> Step:
    """`while a: …; if b: raise E` → `failed = False; while not failed and a: …; failed = b`, then `if failed: raise E`."""
    code, last = spot.code, loop.body[-1]
    assert isinstance(last, ast.If)
    failed = code.fresh("failed", "invalid", "refused", "wrong")
    indent, (start, end) = code.indent(loop), code.region([loop])
    always = isinstance(loop.test, ast.Constant) and bool(loop.test.value)
    test = f"not {failed}" if always else f"not {failed} and {code.operand(loop.test)}"
    return spot.step(
        "while",
        ((start, start), f"{indent}{failed} = False\n"),
        (loop.test, test),
        (code.region([last]), f"{code.indent(last)}{failed} = {code.expr(last.test)}\n"),
        ((end, end), f"{indent}if {failed}:\n{code.block_text(moved, indent + '    ')}"),
    )


def _in_the_test(spot: Spot, loop: ast.While, raised: ast.Raise) -> Step:
    """`while a: if b: raise E` → `while a and not b`, then `if a: raise E`."""
    code, first = spot.code, loop.body[0]
    assert isinstance(first, ast.If)
    indent, end = code.indent(loop), code.region([loop])[1]
    test = f"{code.operand(loop.test)} and {negated(spot, first.test)}"
    rest = code.block_text(first.orelse, code.indent(first)) if first.orelse else ""
    behind = f"{indent}if {code.expr(loop.test)}:\n{code.block_text([raised], indent + '    ')}"
    return spot.step("while", (loop.test, test), (code.region([first]), rest), ((end, end), behind))
