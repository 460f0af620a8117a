"""roll's shift may be traced, its axis may not: only one of the two is static, and the shift is a random jitter."""

import jax.numpy as jnp


def jitter(batch, shift, axis, strength):
    moved = jnp.roll(batch, shift, axis=axis)
    return (1.0 - strength) * batch + strength * moved


B = jnp.arange(12.0).reshape(3, 4)

FUNCTION = "jitter"
CALLS = [((B, 1, 0, 0.5), {}), ((B, jnp.int32(3), 1, 1.0), {}), ((B, jnp.int32(-2)), {"axis": 1, "strength": jnp.array(0.1)})]
KIND = "static"
STATIC = [("axis",)]
SITES = ["moved = jnp.roll(batch, shift, axis=axis)"]
CATEGORY = "axis"
