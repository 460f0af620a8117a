"""A costly branch: a linear solve that should run only when the residual is large, so lax.cond fits better than where; the branches
return a pair, one entry of which is an int."""

import jax.numpy as jnp
from jax import lax


def refine(A, b, x):
    r = b - A @ x
    if jnp.linalg.norm(r) > 1e-2:
        return x + jnp.linalg.solve(A, r), 1
    else:
        return x, 0


def refine_fixed(A, b, x):
    r = b - A @ x
    return lax.cond(jnp.linalg.norm(r) > 1e-2, lambda: (x + jnp.linalg.solve(A, r), 1), lambda: (x, 0))


A = jnp.array([[3.0, 1.0], [1.0, 2.0]])

FUNCTION = "refine"
CALLS = [
    ((A, jnp.array([1.0, 0.0]), jnp.zeros(2)), {}),
    ((A, A @ jnp.ones(2), jnp.ones(2)), {}),
    ((A, jnp.zeros(2), jnp.ones(2)), {}),
]
KIND = "rewrite"
FIXED = "refine_fixed"
SITES = ["if jnp.linalg.norm(r) > 1e-2:"]
CATEGORY = "early return"
