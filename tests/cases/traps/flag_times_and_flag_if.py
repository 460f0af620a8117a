"""One flag is only multiplied (fine as a tracer), the other decides a branch: only the second is static."""

import jax.numpy as jnp


def objective(w, x, y, use_bias, use_ridge, lam):
    pred = x @ w + use_bias * w[0]
    loss = jnp.mean((pred - y) ** 2)
    if use_ridge:
        loss = loss + lam * jnp.sum(w**2)
    return loss


x, y = jnp.eye(2), jnp.array([1.0, -1.0])

FUNCTION = "objective"
CALLS = [
    ((jnp.ones(2), x, y, True, True, 0.1), {}),
    ((jnp.ones(2), x, y, jnp.array(False), False, 0.1), {}),
    ((jnp.zeros(2), x, y), {"use_bias": False, "use_ridge": True, "lam": jnp.array(1.0)}),
]
KIND = "static"
STATIC = [("use_ridge",)]
SITES = ["if use_ridge:"]
CATEGORY = "flags"
