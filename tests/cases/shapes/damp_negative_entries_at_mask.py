"""`x.at[mask].multiply` and `x.at[mask].set(x[mask] ...)`: the mask is data; a choice by the mask needs no length."""

import jax.numpy as jnp


def leaky(x, slope):
    x = x.at[x < 0].multiply(slope)
    big = x > 3.0
    x = x.at[big].set(3.0 + 0.1 * (x[big] - 3.0))
    return x.sum(), x


def leaky_fixed(x, slope):
    x = jnp.where(x < 0, x * slope, x)
    x = jnp.where(x > 3.0, 3.0 + 0.1 * (x - 3.0), x)
    return x.sum(), x


FUNCTION = "leaky"
CALLS = [
    ((jnp.array([1.0, -2.0, 7.0]), 0.1), {}),
    ((jnp.array([-1.0, -2.0]), 0.5), {}),
    ((jnp.array([[4.0, 2.0], [0.0, -1.0]]), 0.5), {}),
]
KIND = "rewrite"
FIXED = "leaky_fixed"
SITES = ["x = x.at[x < 0].multiply(slope)", "x = x.at[big].set(3.0 + 0.1 * (x[big] - 3.0))"]
CATEGORY = "boolean mask"
