"""A recursive helper whose depth is one argument and whose data another: the comparison `depth == 0` is the site, reached through two
functions that call each other."""

import jax.numpy as jnp


def _even(x, depth):
    return x if depth == 0 else _odd(jnp.concatenate([x, x[-1:]]), depth - 1)


def _odd(x, depth):
    return 2 * x if depth == 0 else _even(x[:-1] + x[1:], depth - 1)


def alternate(x, depth, shift):
    return _even(x, depth) + shift


FUNCTION = "alternate"
CALLS = [
    ((jnp.arange(3.0), 3, 0.5), {}),
    ((jnp.arange(3.0), 0, jnp.array(1.0)), {}),
    ((jnp.ones(4),), {"depth": 2, "shift": 0}),
]
KIND = "static"
STATIC = [("depth",)]
SITES = ["return x if depth == 0 else _odd(jnp.concatenate([x, x[-1:]]), depth - 1)"]
CATEGORY = "recursion"
