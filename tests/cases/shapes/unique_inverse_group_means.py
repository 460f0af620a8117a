"""unique with return_inverse and segment sums over its length: sizes that depend on the data; the result is per sample, so size= does."""

import jax
import jax.numpy as jnp


def demean_by_group(x, group):
    ids, inv = jnp.unique(group, return_inverse=True)
    total = jax.ops.segment_sum(x, inv, num_segments=ids.shape[0])
    count = jax.ops.segment_sum(jnp.ones_like(x), inv, num_segments=ids.shape[0])
    return x - (total / count)[inv]


def demean_by_group_fixed(x, group):
    n = group.shape[0]
    _, inv = jnp.unique(group, return_inverse=True, size=n)
    total = jax.ops.segment_sum(x, inv, num_segments=n)
    count = jax.ops.segment_sum(jnp.ones_like(x), inv, num_segments=n)
    return x - (total / jnp.maximum(count, 1))[inv]


FUNCTION = "demean_by_group"
CALLS = [
    ((jnp.array([1.0, 2.0, 6.0, 3.0]), jnp.array([4, 9, 4, 9])), {}),
    ((jnp.array([1.0, 2.0, 6.0, 3.0]), jnp.array([1, 1, 1, 1])), {}),
    ((jnp.array([1.0, 5.0]), jnp.array([2, 3])), {}),
]
KIND = "rewrite"
FIXED = "demean_by_group_fixed"
SITES = ["ids, inv = jnp.unique(group, return_inverse=True)"]
CATEGORY = "unique"
