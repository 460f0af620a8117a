"""argmin by hand: `if d < best:` keeps the value and the index, which are an infinity and an int at first."""

import jax.numpy as jnp


def nearest(points, query):
    best, best_i = float("inf"), -1
    for i, p in enumerate(points):
        d = jnp.sum((p - query) ** 2)
        if d < best:
            best, best_i = d, i
    return best_i, jnp.sqrt(best)


def nearest_fixed(points, query):
    d = jnp.sum((points - query) ** 2, axis=1)
    return jnp.argmin(d), jnp.sqrt(d.min())


P = jnp.array([[0.0, 0.0], [1.0, 1.0], [2.0, -1.0]])

FUNCTION = "nearest"
CALLS = [((P, jnp.array([0.9, 0.8])), {}), ((P, jnp.array([0.0, 0.0])), {}), ((P[1:], jnp.array([9.0, -9.0])), {})]
KIND = "rewrite"
FIXED = "nearest_fixed"
SITES = ["if d < best:"]
CATEGORY = "for"
