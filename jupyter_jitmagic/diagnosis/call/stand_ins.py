"""Values for arguments that a transformation traces: a function called by `jax.vmap`, `jax.grad` or `lax.scan` gets tracers.

What stands for them is an argument as a call by itself would have it: so the function can be run, its sites be traced back to
its arguments, and rewrites be compared.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.base.jax_internals import value_below

MADE_UP = (
    "Its arguments had no values, since a transformation of JAX traced them: made-up numbers of their shapes stand for them."
)


def with_values(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any], str]:
    """(args, kwargs, a note for the answer): tracers replaced by what they stand for, or by made-up numbers, which is said."""
    leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
    if not any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
        return args, kwargs, ""
    found = [value_below(leaf) for leaf in leaves]
    note = MADE_UP if any(value is None for value in found) else ""
    found = [_made_up(leaf, k) if value is None else value for k, (leaf, value) in enumerate(zip(leaves, found, strict=True))]
    positional, keywords = jax.tree_util.tree_unflatten(tree, found)
    return positional, keywords, note


def _made_up(tracer: Any, seed: int) -> Any:
    """An array of a tracer's shape and kind of numbers, the same each time."""
    shape, dtype = jax.numpy.shape(tracer), tracer.dtype
    if jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key):
        return jax.random.split(jax.random.key(seed), shape) if shape else jax.random.key(seed)
    draw = np.random.default_rng(seed)
    if jax.dtypes.issubdtype(dtype, np.bool_):
        return jnp.asarray(draw.integers(0, 2, shape), bool)
    if jax.dtypes.issubdtype(dtype, np.integer):
        return jnp.asarray(draw.integers(0, 3, shape), dtype)
    return jnp.asarray(draw.normal(size=shape), dtype)
