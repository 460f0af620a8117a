"""Reductions of a selection by a ufunc: `jnp.logaddexp.reduce(x[m])`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import jax.numpy as jnp

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.selections import is_selection
from jupyter_jitmagic.source.names import walk_scope

_REDUCTIONS = {
    jnp.add: "sum", jnp.multiply: "prod", jnp.maximum: "max", jnp.minimum: "min", jnp.logical_and: "all",
    jnp.logical_or: "any", jnp.logaddexp: "nn.logsumexp",
}  # fmt: skip


def reduced_by_a_ufunc(spot: Spot) -> Iterator[Step]:
    """`jnp.logaddexp.reduce(x[m])` → `jax.nn.logsumexp(x[m])`, `jnp.add.reduce` → `jnp.sum`: other rules know them."""
    if not is_selection(spot) or not isinstance(spot.function, ast.FunctionDef):
        return
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    for node in walk_scope(spot.function.body):
        match node:
            case ast.Call(func=ast.Attribute(value=ufunc, attr="reduce") as func, args=[array], keywords=[]):
                value, fact = spot.value(ufunc), spot.fact(array)
                known = next((name for each, name in _REDUCTIONS.items() if each is value), "")
                if known and fact is not None and fact.ndim == 1:
                    edits.append((func, spot.jax(known) if known.startswith("nn.") else spot.jnp(known)))
    if edits:
        yield spot.step("jnp", *edits)


RULES: list[Rule] = [reduced_by_a_ufunc]
