"""Rows padded to one length: `x[i, :lengths[i]]` in a comprehension has a length that is data. A mask in each row's mean."""

import jax.numpy as jnp


def mean_of_each_row(x, lengths):
    return jnp.stack([x[i, : lengths[i]].mean(axis=0) for i in range(x.shape[0])])


def mean_of_each_row_fixed(x, lengths):
    valid = jnp.arange(x.shape[1])[None, :] < lengths[:, None]
    return jnp.mean(x, axis=1, where=valid[..., None])


FUNCTION = "mean_of_each_row"
CALLS = [
    ((jnp.arange(12.0).reshape(2, 3, 2), jnp.array([1, 3])), {}),
    ((jnp.arange(12.0).reshape(2, 3, 2), jnp.array([2, 2])), {}),
    ((jnp.arange(24.0).reshape(3, 4, 2), jnp.array([4, 1, 3])), {}),
]
KIND = "rewrite"
FIXED = "mean_of_each_row_fixed"
SITES = ["return jnp.stack([x[i, : lengths[i]].mean(axis=0) for i in range(x.shape[0])])"]
CATEGORY = "slice"
