"""The if stands inside a `with` block that also computes before and after it; only the condition is a fault."""

import jax
import jax.numpy as jnp


def stable_norm(A, x, cap):
    with jax.default_matmul_precision("highest"):
        y = A @ x
        size = jnp.sqrt(jnp.sum(y * y))
        if size > cap:
            y = y * (cap / size)
        z = A.T @ y
    return z, size / cap


def stable_norm_fixed(A, x, cap):
    with jax.default_matmul_precision("highest"):
        y = A @ x
        size = jnp.sqrt(jnp.sum(y * y))
        over = size > cap
        y = y * jnp.where(over, cap / jnp.where(over, size, 1.0), 1.0)
        z = A.T @ y
    return z, size / cap


A = jnp.array([[1.0, 2.0], [0.0, 1.0]])

FUNCTION = "stable_norm"
CALLS = [
    ((A, jnp.array([1.0, 1.0]), 1.0), {}),
    ((A, jnp.array([0.1, 0.1]), jnp.array(1.0)), {}),
    ((A, jnp.zeros(2)), {"cap": 0.5}),
]
KIND = "rewrite"
FIXED = "stable_norm_fixed"
SITES = ["if size > cap:"]
CATEGORY = "if without else"
