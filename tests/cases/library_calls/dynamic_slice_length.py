"""lax.dynamic_slice_in_dim: the start may be traced, the length may not; only one of the two ints is static, the other is a cursor."""

import jax.numpy as jnp
from jax import lax


def causal_context(cache, cursor, length, decay):
    recent = lax.dynamic_slice_in_dim(cache, cursor - length, length)
    weights = decay ** jnp.arange(length)[::-1]
    return (weights[:, None] * recent).sum(axis=0)


K = jnp.arange(12.0).reshape(6, 2)

FUNCTION = "causal_context"
CALLS = [((K, 4, 2, 0.5), {}), ((K, jnp.int32(6), 2, 0.5), {}), ((K, jnp.int32(3)), {"length": 3, "decay": jnp.array(0.9)})]
KIND = "static"
STATIC = [("length",)]
SITES = ["recent = lax.dynamic_slice_in_dim(cache, cursor - length, length)", "weights = decay ** jnp.arange(length)[::-1]"]
CATEGORY = "dynamic slice"
