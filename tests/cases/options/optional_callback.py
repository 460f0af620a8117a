"""A callable or None: with None it traces, with a function it is refused; `is not None` is no site. Static serves both."""

import jax
import jax.numpy as jnp


def linear_solve(A, b, precond=None, damping=0.0):
    x = jnp.zeros_like(b)
    for _ in range(5):
        r = b - A @ x
        if precond is not None:
            r = precond(r)
        x = x + (1.0 - damping) * r / jnp.max(jnp.abs(A))
    return x


def halve(r):
    return 0.5 * r


A = jnp.array([[2.0, 0.5], [0.5, 1.0]])

FUNCTION = "linear_solve"
CALLS = [
    ((A, jnp.ones(2), halve), {}),
    ((A, jnp.ones(2)), {}),
    ((A, jnp.arange(2.0)), {"precond": jax.jit(halve), "damping": jnp.array(0.5)}),
]
KIND = "static"
STATIC = [("precond",)]
SITES = ["r = precond(r)"]
CATEGORY = "callable"
