"""jnp.diff's order is static inside JAX: "Non-hashable static arguments", a ValueError that sounds like the opposite of the cure."""

import jax.numpy as jnp


def roughness(curve, order, spacing):
    d = jnp.diff(curve, n=order) / spacing**order
    return jnp.sum(d**2) * spacing


c = jnp.array([0.0, 1.0, 4.0, 9.0, 16.0])

FUNCTION = "roughness"
CALLS = [((c, 2, 1.0), {}), ((c, 1, 0.5), {}), ((c[:4],), {"order": 3, "spacing": jnp.array(2.0)})]
KIND = "static"
STATIC = [("order",)]
SITES = ["d = jnp.diff(curve, n=order) / spacing**order"]
CATEGORY = "static in jax"
