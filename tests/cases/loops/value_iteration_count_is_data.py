"""The number of Bellman sweeps comes with the call as an array, and the last index is used after the loop."""

import jax.numpy as jnp
from jax import lax


def sweep_bellman(reward, transition, beta, sweeps):
    v = jnp.zeros(reward.shape[0])
    gap = jnp.array(jnp.inf)
    for _ in range(sweeps):
        q = reward + beta * jnp.einsum("sap,p->sa", transition, v)
        new = q.max(axis=1)
        gap = jnp.max(jnp.abs(new - v))
        v = new
    return v, gap * beta / (1 - beta), sweeps * reward.size


def sweep_bellman_fixed(reward, transition, beta, sweeps):
    def body(_, state):
        v, _ = state
        new = (reward + beta * jnp.einsum("sap,p->sa", transition, v)).max(axis=1)
        return new, jnp.max(jnp.abs(new - v))

    v, gap = lax.fori_loop(0, sweeps, body, (jnp.zeros(reward.shape[0]), jnp.array(jnp.inf)))
    return v, gap * beta / (1 - beta), sweeps * reward.size


R = jnp.array([[1.0, 0.0], [0.5, 2.0], [0.0, 0.1]])
T = jnp.full((3, 2, 3), 1 / 3)

FUNCTION = "sweep_bellman"
CALLS = [
    ((R, T, 0.9, jnp.int32(4)), {}),
    ((R, T, 0.5, jnp.int32(1)), {}),
    ((R, T, jnp.array(0.8), jnp.int32(0)), {}),
    ((R[:, :1], T[:, :1], 0.9), {"sweeps": jnp.int32(11)}),
]
KIND = "rewrite"
FIXED = "sweep_bellman_fixed"
SITES = ["for _ in range(sweeps):"]
CATEGORY = "range of data"
