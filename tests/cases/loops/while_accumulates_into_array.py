"""A while over an array state that fills a result by `.at[i].set`; the counter is data only through the stop test."""

import jax.numpy as jnp
from jax import lax


def chebyshev_until(x, tol):
    terms = jnp.zeros(12)
    a, b, i = 1.0, x, 0
    while i < 12 and jnp.abs(a) > tol:
        terms = terms.at[i].set(a)
        a, b = b, 0.7 * (2 * x * b - a)
        i = i + 1
    return terms, i


def chebyshev_until_fixed(x, tol):
    def body(state):
        terms, a, b, i = state
        return terms.at[i].set(a), b, 0.7 * (2 * x * b - a), i + 1

    go = lambda s: (s[3] < 12) & (jnp.abs(s[1]) > tol)
    terms, _, _, i = lax.while_loop(go, body, (jnp.zeros(12), jnp.ones(()), jnp.asarray(x), 0))
    return terms, i


FUNCTION = "chebyshev_until"
CALLS = [
    ((jnp.array(0.3), 0.05), {}),
    ((jnp.array(0.9), jnp.array(1e-4)), {}),
    ((jnp.array(0.5), jnp.array(2.0)), {}),
    ((jnp.array(0.0), 0.5), {}),
]
KIND = "rewrite"
FIXED = "chebyshev_until_fixed"
SITES = ["while i < 12 and jnp.abs(a) > tol:"]
CATEGORY = "while"
