"""Flags of Python's own of which a difference is taken: `(x > hi) - (x < lo)` of numbers, which JAX refuses of its arrays."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import OTHER, Rule, Spot, Step


def as_numbers(spot: Spot) -> Iterator[Step]:
    """`(x > hi) - (x < lo)` → `0 + (x > hi) - (x < lo)`; `-(x > hi)` → `0 - (x > hi)`."""
    if spot.kind != OTHER or "bool" not in str(spot.error):
        return
    code = spot.code
    match spot.node:
        case ast.BinOp(op=ast.Sub(), left=left):
            start = code.with_parentheses(left)[0]
            yield spot.step("int", ((start, start), "0 + "))
        case ast.UnaryOp(op=ast.USub(), operand=flag) as whole:
            start, end = code.span(whole)
            yield spot.step("int", ((start, end), f"(0 - {code.operand(flag)})"))


RULES: list[Rule] = [as_numbers]
