"""Rouwenhorst's method grows the transition matrix by one row each round: static n, q is data."""

import jax.numpy as jnp


def rouwenhorst(n, q, sigma):
    P = jnp.array([[1.0]])
    for size in range(2, n + 1):
        z = jnp.zeros((size, size))
        P = (
            z.at[:-1, :-1].add(q * P)
            + z.at[:-1, 1:].add((1 - q) * P)
            + z.at[1:, :-1].add((1 - q) * P)
            + z.at[1:, 1:].add(q * P)
        )
        P = P.at[1:-1].divide(2.0)
    top = sigma * jnp.sqrt(n - 1.0)
    return P, jnp.linspace(-top, top, n)


FUNCTION = "rouwenhorst"
CALLS = [((3, 0.9, 0.1), {}), ((4, jnp.array(0.6), 1.0), {}), ((2,), {"q": 0.5, "sigma": jnp.array(0.3)})]
KIND = "static"
STATIC = [("n",)]
SITES = ["for size in range(2, n + 1):", "return P, jnp.linspace(-top, top, n)"]
CATEGORY = "loop and size"
