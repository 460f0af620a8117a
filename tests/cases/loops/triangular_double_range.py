"""Two nested ranges, the inner bounded by the outer index, the outer by data: both loops must become fori_loops."""

import jax.numpy as jnp
from jax import lax


def zernike_sum(r, n, weight):
    total = 0.0
    for i in range(n):
        for j in range(i + 1):
            total = total + weight**i * r**j / (1.0 + i + j)
    return total


def zernike_sum_fixed(r, n, weight):
    def row(i, total):
        return lax.fori_loop(0, i + 1, lambda j, t: t + weight**i * r**j / (1.0 + i + j), total)

    return lax.fori_loop(0, n, row, jnp.zeros(jnp.shape(r)))


FUNCTION = "zernike_sum"
CALLS = [
    ((jnp.array(0.5), jnp.int32(3), 0.9), {}),
    ((jnp.array(0.5), jnp.int32(1), 0.9), {}),
    ((jnp.array(1.5), jnp.int32(6), jnp.array(0.3)), {}),
]
KIND = "rewrite"
FIXED = "zernike_sum_fixed"
SITES = ["for i in range(n):"]
CATEGORY = "nested loops"
