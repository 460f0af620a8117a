"""The loop variable and a value of the last round are read after the loop; the count is data and at least one."""

import jax.numpy as jnp
from jax import lax


def anneal(x, n_sweeps, t0):
    for k in range(n_sweeps):
        temp = t0 / (1 + k)
        x = x - temp * jnp.sin(x)
    return x, temp, k


def anneal_fixed(x, n_sweeps, t0):
    body = lambda k, s: (s[0] - t0 / (1 + k) * jnp.sin(s[0]), t0 / (1 + k))
    x, temp = lax.fori_loop(0, n_sweeps, body, (x, jnp.zeros(jnp.shape(t0))))
    return x, temp, n_sweeps - 1


FUNCTION = "anneal"
CALLS = [
    ((jnp.array([1.0, 2.0]), jnp.int32(4), 0.5), {}),
    ((jnp.array([1.0, 2.0]), jnp.int32(1), 0.5), {}),
    ((jnp.array(3.0), jnp.int32(7), jnp.array(0.1)), {}),
]
KIND = "rewrite"
FIXED = "anneal_fixed"
SITES = ["for k in range(n_sweeps):"]
CATEGORY = "range of data"
