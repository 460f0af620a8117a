"""Functions within a function that write its variables: `def visit(v): nonlocal count; …; count += 1`.

Compiled code has no variable that is written from within. So the inner function's lines stand in the place of its calls, where
the rounds of a loop carry the variables, and the sides of a choice give them back.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from jupyter_jitmagic.diagnosis.rewrites.inlining import Inlining
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import written_around

MOST_CALLS = 12


def in_their_places(spot: Spot) -> Iterator[Step]:
    """The function around, with the lines of the first such inner function in the place of all its calls."""
    if spot.kind != BOOL or (isinstance(spot.node, ast.Call) and spot.asked() is None):
        return
    around = [each for each in spot.code.ancestors(spot.node) if isinstance(each, ast.FunctionDef)]
    for outer in reversed(around):
        for inner in _writing(outer):
            text = _without(spot, outer, inner)
            if text is not None:
                yield Step(text, "inline", spot.line)
                return


def _writing(outer: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """Functions that stand among its own statements and write its variables."""
    yield from (each for each in outer.body if isinstance(each, ast.FunctionDef) and written_around(each))


def _without(spot: Spot, outer: ast.FunctionDef, inner: ast.FunctionDef) -> str | None:
    """The text without the inner function; None where it has to stay."""
    text = spot.code.text
    for _ in range(MOST_CALLS):
        code = Code(text)
        outers = [each for each in ast.walk(code.tree) if isinstance(each, ast.FunctionDef) and each.name == outer.name]
        here = [each for each in _writing(outers[0]) if each.name == inner.name] if len(outers) == 1 else []
        if len(here) != 1:
            return None
        uses = [node for node in ast.walk(outers[0]) if isinstance(node, ast.Name) and node.id == inner.name]
        if not uses:
            return code.replace((code.region(here), ""))
        first = min(uses, key=lambda use: _end(code.parents[use]))  # in which order they are called
        call = code.parents[first]
        if not (isinstance(call, ast.Call) and call.func is first) or code.function(call) is not outers[0]:
            return None
        step = next(Inlining(replace(spot, code=code, node=call), call, code, here[0], None).by_ways(), None)
        if step is None:
            return None
        text = step.text
    return None


def _end(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0)


RULES: list[Rule] = [in_their_places]
