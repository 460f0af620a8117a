"""`np.` and `math.` on traced values, `float()`, `int()`, `.item()`, `max`, `sorted`, printing → JAX's own."""

from __future__ import annotations

import ast

from ._rules import Rule, Spot


def debug_print(spot: Spot, call: ast.Call) -> str | None:
    """`jax.debug.print(…)` for a `print(…)` of an f-string or of plain values; None where it cannot say the same."""
    return None


RULES: list[Rule] = []
