"""A plain settings class without __eq__: no pytree, so refused as data, but hashable by identity, so static works (and compiles
again for an equal-looking new object)."""

import jax.numpy as jnp


class Settings:
    def __init__(self, stages=1, periodic=True):
        self.stages = stages
        self.periodic = periodic


def advect(u, velocity, dt, settings):
    for _ in range(settings.stages):
        left = jnp.roll(u, 1)
        if not settings.periodic:
            left = left.at[0].set(0.0)
        u = u - velocity * dt / settings.stages * (u - left)
    return u


u0 = jnp.array([0.0, 1.0, 0.0, 0.0])

FUNCTION = "advect"
CALLS = [
    ((u0, 1.0, 0.5, Settings(2)), {}),
    ((u0, jnp.array(0.3), 0.5, Settings(1, False)), {}),
    ((u0, 1.0), {"dt": 0.1, "settings": Settings()}),
]
KIND = "static"
STATIC = [("settings",)]
SITES = ["for _ in range(settings.stages):"]
CATEGORY = "object"
