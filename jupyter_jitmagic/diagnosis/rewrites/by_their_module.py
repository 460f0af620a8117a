"""Functions that are imported by their names: `from jax.numpy import where`, `where(m)` → `jnp.where(m)`, as the rules for
selections and what is computed of them know it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import jax.numpy as jnp

from jupyter_jitmagic.base.looking import text_attribute
from jupyter_jitmagic.diagnosis.rewrites.grouping import KIN
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import walk

_SELECTING = frozenset(
    {"where", "nonzero", "flatnonzero", "argwhere", "compress", "extract", "delete", "bincount", "repeat", *KIN}
)


def by_their_module(spot: Spot) -> Iterator[Step]:
    """All of jax.numpy's functions that the user's calls by name, where one of them gives a length that depends on data."""
    if not isinstance(spot.function, ast.FunctionDef):
        return
    statement = spot.code.statement(spot.node)
    if not any(_imported(spot, node) in _SELECTING for node in ast.walk(statement)):
        return
    found = ((node, _imported(spot, node)) for node in walk(spot.function))
    yield spot.step("jnp", *((node.func, spot.jnp(name)) for node, name in found if isinstance(node, ast.Call) and name))


def _imported(spot: Spot, node: ast.AST) -> str:
    """What a call's function is called in jax.numpy, if it is one of its and is called by a name of its own; else ""."""
    match node:
        case ast.Call(func=ast.Name() as called):
            value = spot.value(called)
            name = text_attribute(value, "__name__")
            return name if name and getattr(jnp, name, None) is value else ""
    return ""


RULES: list[Rule] = [by_their_module]
