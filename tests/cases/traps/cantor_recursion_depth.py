"""Recursion on an int argument: `if depth == 0` is a comparison of data to the eye, but every level has another shape (a Cantor set),
so the depth is static and no loop of JAX could do it."""

import jax.numpy as jnp


def cantor(interval, depth, ratio):
    if depth == 0:
        return interval[None]
    left, right = interval
    gap = ratio * (right - left)
    return jnp.concatenate(
        [
            cantor(jnp.stack([left, left + gap]), depth - 1, ratio),
            cantor(jnp.stack([right - gap, right]), depth - 1, ratio),
        ]
    )


FUNCTION = "cantor"
CALLS = [
    ((jnp.array([0.0, 1.0]), 2, 1 / 3), {}),
    ((jnp.array([0.0, 9.0]), 0, 0.25), {}),
    ((jnp.array([-1.0, 1.0]),), {"depth": 3, "ratio": jnp.array(0.4)}),
]
KIND = "static"
STATIC = [("depth",)]
SITES = ["if depth == 0:"]
CATEGORY = "recursion"
