"""lax.scan's `length` and `reverse` are plain Python to JAX: a size and a direction. The discount is data."""

import jax.numpy as jnp
from jax import lax


def discounted(reward, horizon, gamma, backwards):
    def body(carry, r):
        carry = r + gamma * carry
        return carry, carry

    steps = jnp.broadcast_to(reward, (horizon,)) * jnp.arange(horizon)
    return lax.scan(body, jnp.zeros(()), steps, reverse=backwards)[1]


FUNCTION = "discounted"
CALLS = [
    ((1.0, 4, 0.9, True), {}),
    ((jnp.array(2.0), 4, 0.5, False), {}),
    ((1.0, 2), {"gamma": jnp.array(0.1), "backwards": True}),
]
KIND = "static"
STATIC = [("horizon", "backwards")]
SITES = [
    "steps = jnp.broadcast_to(reward, (horizon,)) * jnp.arange(horizon)",
    "return lax.scan(body, jnp.zeros(()), steps, reverse=backwards)[1]",
]
CATEGORY = "scan"
