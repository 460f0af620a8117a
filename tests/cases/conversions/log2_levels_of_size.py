"""math.log2 of an argument decides the number of passes: int(math.log2(n)) needs a real int, so `n` is static; x is data."""

import math

import jax.numpy as jnp


def hadamard_transform(x, n):
    stages = int(math.log2(n))
    y = x[..., :n]
    for s in range(stages):
        y = y.reshape(*y.shape[:-1], -1, 2, 2**s)
        a, b = y[..., 0, :], y[..., 1, :]
        y = jnp.stack([a + b, a - b], axis=-2)
        y = y.reshape(*y.shape[:-3], -1)
    return y / math.sqrt(n)


x8 = jnp.arange(8.0)

FUNCTION = "hadamard_transform"
CALLS = [((x8, 8), {}), ((x8, 2), {}), ((jnp.stack([x8, -x8]),), {"n": 4})]
KIND = "static"
STATIC = [("n",)]
SITES = ["stages = int(math.log2(n))"]
CATEGORY = "math"
