"""vmap over two arguments of different lengths: a ValueError about inconsistent sizes."""

import jax
import jax.numpy as jnp


def distances(points, centres, p):
    return jax.vmap(lambda a, b: jnp.sum(jnp.abs(a - b) ** p) ** (1 / p))(points, centres)


FUNCTION = "distances"
CALLS = [((jnp.ones((4, 2)), jnp.zeros((3, 2)), 2), {}), ((jnp.ones((4, 2)), jnp.zeros((5, 2)), 1), {})]
KIND = "not_staticness"
SITES = ["return jax.vmap(lambda a, b: jnp.sum(jnp.abs(a - b) ** p) ** (1 / p))(points, centres)"]
CATEGORY = "vmap"
