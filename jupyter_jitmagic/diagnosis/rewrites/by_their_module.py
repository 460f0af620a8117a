"""Functions that are imported by their names, and methods: `from jax.numpy import where`, `where(m)` → `jnp.where(m)`,
`m.nonzero()` → `jnp.nonzero(m)`, as the rules for selections and what is computed of them know it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import jax.numpy as jnp

from jupyter_jitmagic.base.looking import text_attribute
from jupyter_jitmagic.diagnosis.rewrites.grouping import KIN
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
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


def methods(spot: Spot) -> Iterator[Step]:
    """`m.nonzero()[0]` → `jnp.nonzero(m)[0]`, each in the function of which the length depends on data."""
    if spot.function is not None and _selected(spot, spot.node):
        yield spot.step("jnp", *((node, text) for node in walk(spot.function) if (text := _selected(spot, node))))


def _selected(spot: Spot, node: ast.AST) -> str:
    """What is selected by an array's method, as jax.numpy's function of that name does it; else ""."""
    match node:
        case ast.Call(func=ast.Attribute(value=array, attr="nonzero" | "compress" | "repeat" as name)):
            code = spot.code
            given = [code.src(each) for each in (*node.args, *node.keywords)]
            if is_module(spot, array) or spot.fact(array) is None or any(isinstance(each, ast.Starred) for each in node.args):
                return ""
            given.insert(1 if name == "compress" else 0, code.expr(array))
            return f"{spot.jnp(name)}({', '.join(given)})"
    return ""


def _imported(spot: Spot, node: ast.AST) -> str:
    """What a call's function is called in jax.numpy, if it is one of its and is called by a name of its own; else ""."""
    match node:
        case ast.Call(func=ast.Name() as called):
            value = spot.value(called)
            name = text_attribute(value, "__name__")
            return name if name and getattr(jnp, name, None) is value else ""
    return ""


RULES: list[Rule] = [by_their_module, methods]
