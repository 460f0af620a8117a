"""Loops with an end: a rewrite whose `while_loop` finds none must not stop a comparison."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

LOOP_LIMIT = 50_000  # iterations of a while_loop under comparison: a rewrite that never ends must end
BOUNDED = "__jitmagic_while_loop__"
ENDLESS = (
    "compiled, its loop finds no end on this call: in single precision a tolerance so small is never met (a larger one is, or "
    "64 bits: jax_enable_x64)"
)


def bounded_loops(text: str) -> str:
    """The same source with every `while_loop` bounded, for the comparison only."""
    return re.sub(r"(?<![\w.])(?:\w+\.)*while_loop\(", f"{BOUNDED}(", text)


class BoundedLoops(ast.NodeTransformer):
    """The same in a tree, whose places stay."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr == "while_loop":
            return ast.copy_location(ast.Name(BOUNDED, ast.Load()), node)
        self.generic_visit(node)
        return node


def bounded_while_loop(cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any) -> Any:
    """`lax.while_loop` that ends after LOOP_LIMIT rounds, with what no loop gives."""
    found, rounds = _stopped(cond_fun, body_fun, init_val)
    return jax.tree_util.tree_map(lambda value: _where(rounds < LOOP_LIMIT, value), found)


def stopped_while_loop(cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any) -> Any:
    """`lax.while_loop` that ends after LOOP_LIMIT rounds, with what it has then."""
    return _stopped(cond_fun, body_fun, init_val)[0]


def _stopped(cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any) -> Any:
    return jax.lax.while_loop(
        lambda s: jnp.logical_and(s[1] < LOOP_LIMIT, cond_fun(s[0])), lambda s: (body_fun(s[0]), s[1] + 1), (init_val, 0)
    )


def _where(ended: Any, value: Any) -> Any:
    if isinstance(value, bool | int | float | complex):
        return value  # no round changes it, and JAX gives it back as it came
    if jnp.issubdtype(value.dtype, jnp.inexact):
        return jnp.where(ended, value, jnp.nan)
    if jnp.issubdtype(value.dtype, jnp.signedinteger):
        return jnp.where(ended, value, jnp.iinfo(value.dtype).min)
    return value


def is_unended(result: Any) -> bool:
    """Whether a result may be of a loop that was stopped (`bounded_while_loop`)."""
    return any(map(_is_unended, jax.tree_util.tree_leaves(result)))


def _is_unended(leaf: Any) -> bool:
    if not isinstance(leaf, jax.Array | np.ndarray | np.generic) or not leaf.size:
        return False
    if jnp.issubdtype(leaf.dtype, jnp.inexact):
        return bool(jnp.all(jnp.isnan(leaf)))
    return bool(jnp.issubdtype(leaf.dtype, jnp.signedinteger) and jnp.all(leaf == jnp.iinfo(leaf.dtype).min))
