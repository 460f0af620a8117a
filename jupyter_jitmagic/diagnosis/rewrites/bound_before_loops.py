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
    if not bound & code.live_after(loop) or bound & _bound_above(spot, loop):  # which a loop of no rounds leaves as it is
        return
    changed = set(stored(loop.body[: loop.body.index(statement)])) | bound
    changed |= set(target_names(loop.target)) if isinstance(loop, ast.For) else set()
    calls = any(isinstance(n, ast.Call | ast.NamedExpr) for n in ast.walk(statement))
    if changed.isdisjoint(loaded([statement])) and not calls:
        start = code.region([loop], comments=True)[0]
        yield spot.step("first", ((start, start), code.block_text([statement], code.indent(loop))))


def _bound_above(spot: Spot, loop: ast.stmt) -> set[str]:
    """The function's parameters, and what stands for a value above the loop."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return set(stored(spot.code.tree.body))
    named = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    above = (
        n for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.lineno < loop.lineno
    )
    return named | {each.id for each in above}


RULES: list[Rule] = [selected_once_more]
