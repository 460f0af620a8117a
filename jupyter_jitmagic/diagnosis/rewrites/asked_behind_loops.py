"""What a loop selects anew in each round, and of which is asked behind it: `x = d[keep]` … `len(x)`.

A compiled loop carries numbers, and what is bound before it: the length gets a name in the loop, or the selection stands
before it once more.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, stored, target_names


def named_or_once_more(spot: Spot) -> Iterator[Step]:
    """`while True: x = d[keep]; …`, `len(x)` → `count = len(x)` in the loop; where more is asked, `x = d[keep]` before it."""
    code, function = spot.code, spot.function
    statement = code.statement(spot.node)
    loop = code.parents.get(statement)
    if type(spot.error).__name__ != "NonConcreteBooleanIndexError" or not isinstance(statement, ast.Assign):
        return
    if not isinstance(function, ast.FunctionDef):
        return
    if not isinstance(loop, ast.While | ast.For) or statement not in loop.body or not code.on_own_lines([statement, loop]):
        return
    bound = set(stored([statement]))
    asked = sorted(bound & code.live_after(loop))
    if not asked or bound & _bound_above(function, loop):  # which a loop of no rounds leaves as it is
        return
    lengths = [_lengths_behind(spot, function, loop, name) for name in asked]
    if all(lengths):
        names = [code.fresh(f"{name}_length", f"length_of_{name}") for name in asked]
        end, indent = code.region([statement])[1], code.indent(statement)
        lines = "".join(f"{indent}{number} = len({name})\n" for number, name in zip(names, asked, strict=True))
        edits = [(each, number) for found, number in zip(lengths, names, strict=True) for each in found]
        yield spot.step("length", ((end, end), lines), *edits)
        return
    changed = set(stored(loop.body[: loop.body.index(statement)])) | bound
    changed |= set(target_names(loop.target)) if isinstance(loop, ast.For) else set()
    calls = any(isinstance(n, ast.Call | ast.NamedExpr) for n in ast.walk(statement))
    if changed.isdisjoint(loaded([statement])) and not calls:
        start = code.region([loop], comments=True)[0]
        yield spot.step("first", ((start, start), code.block_text([statement], code.indent(loop))))


def _lengths_behind(spot: Spot, function: ast.FunctionDef, loop: ast.stmt, name: str) -> list[ast.Call]:
    """The calls `len(x)` behind the loop, where nothing else is asked there of what is bound once; nothing for others."""
    code = spot.code
    nodes = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
    behind = [n for n in nodes if isinstance(n.ctx, ast.Load) and n.lineno > (loop.end_lineno or 0)]
    around = [code.parents[n] for n in behind]
    calls = [each for each in around if isinstance(each, ast.Call) and code.src(each.func) == "len" and spot.is_builtin("len")]
    once = sum(not isinstance(n.ctx, ast.Load) for n in nodes) == 1
    return calls if once and len(calls) == len(behind) else []


def _bound_above(function: ast.FunctionDef, loop: ast.stmt) -> set[str]:
    """The function's parameters, and what stands for a value above the loop."""
    stores = (n for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    above = {each.id for each in stores if each.lineno < loop.lineno}
    return above | {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}


RULES: list[Rule] = [named_or_once_more]
