"""What a loop selects anew in each round, and of which is asked behind it: `x = d[keep]` … `len(x)`.

A compiled loop carries what is bound before it: the selection stands there once more.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, stored, target_names


def selected_once_more(spot: Spot) -> Iterator[Step]:
    """`while True: x = d[keep]; …` → `x = d[keep]` before the loop as well, where x is read behind it."""
    code = spot.code
    statement = code.statement(spot.node)
    loop = code.parents.get(statement)
    if type(spot.error).__name__ != "NonConcreteBooleanIndexError" or not isinstance(statement, ast.Assign):
        return
    if not isinstance(loop, ast.While | ast.For) or statement not in loop.body or not code.on_own_lines([statement, loop]):
        return
    bound = set(stored([statement]))
    block = code.block(loop)
    if not bound & code.live_after(loop) or bound & set(stored(block[: block.index(loop)])):
        return
    changed = set(stored(loop.body[: loop.body.index(statement)])) | bound
    changed |= set(target_names(loop.target)) if isinstance(loop, ast.For) else set()
    calls = any(isinstance(n, ast.Call | ast.NamedExpr) for n in ast.walk(statement))
    if changed.isdisjoint(loaded([statement])) and not calls:
        start = code.region([loop], comments=True)[0]
        yield spot.step("first", ((start, start), code.block_text([statement], code.indent(loop))))


RULES: list[Rule] = [selected_once_more]
