"""The index is valid in one branch only: Python would never read past the end, JAX clamps. Negative indices count from the end, so the
guard must stay."""

import jax.numpy as jnp


def lookup_or_default(table, i, default):
    if 0 <= i < table.shape[0]:
        value = table[i]
    else:
        value = default
    return value * 2


def lookup_or_default_fixed(table, i, default):
    inside = (i >= 0) & (i < table.shape[0])
    return 2 * jnp.where(inside, table[jnp.clip(i, 0, table.shape[0] - 1)], default)


T = jnp.array([1.0, 2.0, 4.0])

FUNCTION = "lookup_or_default"
CALLS = [((T, jnp.int32(i), -1.0), {}) for i in (1, 7, -1, 0)] + [((T[:1], jnp.int32(1)), {"default": jnp.array(9.0)})]
KIND = "rewrite"
FIXED = "lookup_or_default_fixed"
SITES = ["if 0 <= i < table.shape[0]:"]
CATEGORY = "chained comparison"
