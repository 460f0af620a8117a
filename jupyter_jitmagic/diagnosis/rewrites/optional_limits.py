"""Limits that may be left out, asked by their truth where a loop ends: `if limit and n >= limit: break`.

What Python makes of `limit and …` is no flag where limit is None or 0, and a compiled loop carries flags alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import none_by_default, stored, walk_scope


def told_apart(spot: Spot) -> Iterator[Step]:
    """`limit and n >= limit` → `limit is not None and limit != 0 and n >= limit`; `not limit or …` likewise."""
    function = spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef):
        return
    loop = next((at for at in spot.code.ancestors(spot.node) if isinstance(at, ast.For | ast.While)), None)
    if loop is None:
        return
    kept = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)} - set(stored(function.body))
    edits: list[tuple[ast.AST, str]] = []
    for node in walk_scope([loop]):
        if not (isinstance(node, ast.While) or (isinstance(node, ast.If) and leaves(node.body, (ast.Break, ast.Return)))):
            continue
        for test in ast.walk(node.test):
            said: ast.expr
            match test:
                case ast.BoolOp(op=ast.And(), values=[ast.Name(id=name) as said, *_]):
                    word, none, zero = " and ", "is not", "!="
                case ast.BoolOp(op=ast.Or(), values=[ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=name)) as said, *_]):
                    word, none, zero = " or ", "is", "=="
                case _:
                    continue
            if name in kept and _is_number_or_none(spot.locals.get(name)) and _is_compared(name, test.values[1:]):
                optional = name in none_by_default(function.args) or spot.locals.get(name) is None
                text = f"{name} {zero} 0"
                edits.append((said, f"{name} {none} None{word}{text}" if optional else text))
    if edits:
        yield spot.step("limit", *edits)


def _is_compared(name: str, rest: list[ast.expr]) -> bool:
    """Whether what follows compares it with a number, and so asks of no list whether it is empty."""
    orders = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq)
    compared = [node for each in rest for node in ast.walk(each) if isinstance(node, ast.Compare)]
    sides = [side for each in compared if isinstance(each.ops[0], orders) for side in (each.left, *each.comparators)]
    return any(isinstance(side, ast.Name) and side.id == name for side in sides)


def _is_number_or_none(value: object) -> bool:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return True
    return isinstance(value, jax.Array | np.ndarray | np.generic) and value.ndim == 0


RULES: list[Rule] = [told_apart]
