"""Ragged to dense: `repeats` is data, but the total length must be known; it is an argument of its own. Its failure is a bool
conversion inside JAX."""

import jax.numpy as jnp


def token_to_sequence(lengths, total):
    ids = jnp.repeat(jnp.arange(lengths.shape[0]), lengths, total_repeat_length=total)
    start = jnp.concatenate([jnp.zeros(1, lengths.dtype), jnp.cumsum(lengths)[:-1]])
    return ids, jnp.arange(total) - start[ids]


FUNCTION = "token_to_sequence"
CALLS = [((jnp.array([2, 1, 3]), 6), {}), ((jnp.array([4, 1, 1]), 6), {}), ((jnp.array([2, 2]),), {"total": 4})]
KIND = "static"
STATIC = [("total",)]
SITES = [
    "ids = jnp.repeat(jnp.arange(lengths.shape[0]), lengths, total_repeat_length=total)",
    "return ids, jnp.arange(total) - start[ids]",
]
CATEGORY = "repeat"
