"""A scalar function with an if is mapped by vmap inside the function: vmap traces it even in plain Python, so it fails without jit
as well and no static argument can help. The cure is where in the helper (ALSO rewrite)."""

import jax
import jax.numpy as jnp


def huber(r, delta):
    if abs(r) <= delta:
        return 0.5 * r * r
    return delta * (abs(r) - 0.5 * delta)


def robust_loss(w, X, y, delta):
    return jax.vmap(huber, in_axes=(0, None))(X @ w - y, delta).mean()


def robust_loss_fixed(w, X, y, delta):
    r = X @ w - y
    return jnp.where(jnp.abs(r) <= delta, 0.5 * r * r, delta * (jnp.abs(r) - 0.5 * delta)).mean()


FUNCTION = "robust_loss"
CALLS = [((jnp.ones(2), jnp.eye(2), jnp.zeros(2), 0.5), {}), ((jnp.ones(2), jnp.eye(2), jnp.zeros(2), 5.0), {})]
KIND = "not_staticness"
ALSO = ("rewrite",)
FIXED = "robust_loss_fixed"
SITES = ["if abs(r) <= delta:"]
CATEGORY = "vmap body"
