"""One branch splits the random key and draws, the other leaves the key alone: the key after the branch is part of the result."""

import jax
import jax.numpy as jnp
from jax import lax


def restart_if_stuck(key, x, progress, spread):
    if progress < 1e-3:
        key, sub = jax.random.split(key)
        x = x + spread * jax.random.normal(sub, x.shape)
    return key, x


def restart_if_stuck_fixed(key, x, progress, spread):
    def restart(key, x):
        key, sub = jax.random.split(key)
        return key, x + spread * jax.random.normal(sub, x.shape)

    return lax.cond(progress < 1e-3, restart, lambda key, x: (key, x), key, x)


x0 = jnp.array([1.0, 2.0])

FUNCTION = "restart_if_stuck"
CALLS = [
    ((jax.random.PRNGKey(0), x0, jnp.array(0.0), 1.0), {}),
    ((jax.random.PRNGKey(0), x0, jnp.array(0.5), 1.0), {}),
    ((jax.random.PRNGKey(3), x0, jnp.array(-1.0)), {"spread": jnp.array(0.1)}),
]
KIND = "rewrite"
FIXED = "restart_if_stuck_fixed"
SITES = ["if progress < 1e-3:"]
CATEGORY = "if without else"
