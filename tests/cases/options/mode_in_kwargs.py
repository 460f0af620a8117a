"""**kwargs carries a string and a number on to a helper: static_argnames takes the keyword's name although the signature has none."""

import jax.numpy as jnp


def _pad(x, width=1, mode="edge", gain=1.0):
    return gain * jnp.pad(x, width, mode=mode)


def laplacian(u, dx, **padding):
    p = _pad(u, **padding)
    lap = p[2:] - 2 * p[1:-1] + p[:-2]
    return lap / dx**2


u = jnp.array([1.0, 4.0, 9.0])

FUNCTION = "laplacian"
CALLS = [
    ((u, 1.0), {"mode": "wrap"}),
    ((u, jnp.array(0.5)), {"mode": "reflect", "gain": 2.0}),
    ((u, 1.0), {"mode": "edge", "gain": jnp.array(0.1)}),
]
KIND = "static"
STATIC = [("mode",)]
SITES = ["return gain * jnp.pad(x, width, mode=mode)"]
CATEGORY = "**kwargs"
