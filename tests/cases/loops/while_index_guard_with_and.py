"""A linear search: `while i < n and x[i] < t`. The guard keeps the index inside; JAX clamps, so the guard may become &. The index is
the result."""

import jax.numpy as jnp
from jax import lax


def insertion_point(sorted_x, t):
    i = 0
    n = sorted_x.shape[0]
    while i < n and sorted_x[i] < t:
        i += 1
    return i


def insertion_point_fixed(sorted_x, t):
    n = sorted_x.shape[0]
    return lax.while_loop(lambda i: (i < n) & (sorted_x[jnp.minimum(i, n - 1)] < t), lambda i: i + 1, 0)


sx = jnp.array([0.0, 0.5, 0.5, 2.0])

FUNCTION = "insertion_point"
CALLS = [((sx, jnp.array(0.7)), {}), ((sx, jnp.array(9.0)), {}), ((sx, -1.0), {}), ((sx[:1], 0.5), {})]
KIND = "rewrite"
FIXED = "insertion_point_fixed"
SITES = ["while i < n and sorted_x[i] < t:"]
CATEGORY = "short circuit"
