"""A factory returns the step; the tolerance is closed over, the count of iterations is the step's own argument and only counts."""

import jax.numpy as jnp
from jax import lax


def make_solver(damping):
    def solve(b, n_rounds):
        x = jnp.zeros_like(b)
        for k in range(n_rounds):
            x = (1 - damping) * x + damping * jnp.cos(x + b) / (1.0 + k)
        return x

    return solve


def solve_fixed(b, n_rounds):
    body = lambda k, x: 0.5 * x + 0.5 * jnp.cos(x + b) / (1.0 + k)
    return lax.fori_loop(0, n_rounds, body, jnp.zeros_like(b))


FUNCTION = "make_solver(0.5)"
CALLS = [
    ((jnp.array([0.1, 0.4]), jnp.int32(4)), {}),
    ((jnp.array([0.1, 0.4]), jnp.int32(0)), {}),
    ((jnp.ones(3), jnp.int32(9)), {}),
]
KIND = "rewrite"
FIXED = "solve_fixed"
SITES = ["for k in range(n_rounds):"]
CATEGORY = "closure"
