"""`continue` on missing readings inside a loop over the record. The length is a shape; which entries are skipped is data."""

import jax.numpy as jnp


def ewma_with_gaps(record, alpha):
    level = record[0]
    n_used = 1
    for i in range(1, record.shape[0]):
        if jnp.isnan(record[i]):
            continue
        level = alpha * record[i] + (1 - alpha) * level
        n_used += 1
    return level, n_used


def ewma_with_gaps_fixed(record, alpha):
    level = record[0]
    n_used = 1
    for i in range(1, record.shape[0]):
        gap = jnp.isnan(record[i])
        value = jnp.where(gap, level, record[i])
        level = jnp.where(gap, level, alpha * value + (1 - alpha) * level)
        n_used = n_used + jnp.where(gap, 0, 1)
    return level, n_used


nan = jnp.nan

FUNCTION = "ewma_with_gaps"
CALLS = [
    ((jnp.array([1.0, 2.0, nan, 4.0, nan]), 0.3), {}),
    ((jnp.array([1.0, 2.0, 3.0]), 0.5), {}),
    ((jnp.array([2.0, nan, nan, 8.0]), jnp.array(0.9)), {}),
]
KIND = "rewrite"
FIXED = "ewma_with_gaps_fixed"
SITES = ["if jnp.isnan(record[i]):"]
CATEGORY = "continue"
