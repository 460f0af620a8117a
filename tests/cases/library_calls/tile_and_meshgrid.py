"""jnp.tile wants concrete reps (TypeError about __hash__) and meshgrid a string; spacing is data."""

import jax.numpy as jnp


def lattice(cell, reps, indexing, spacing):
    row = jnp.tile(cell, reps)
    gx, gy = jnp.meshgrid(row, row, indexing=indexing)
    return spacing * (gx - 2 * gy)


FUNCTION = "lattice"
CALLS = [
    ((jnp.array([0.0, 1.0]), 2, "ij", 0.5), {}),
    ((jnp.array([0.0, 1.0]), 3, "xy", jnp.array(2.0)), {}),
    ((jnp.array([1.0]),), {"reps": 1, "indexing": "ij", "spacing": 1}),
]
KIND = "static"
STATIC = [("reps", "indexing")]
SITES = ["row = jnp.tile(cell, reps)", "gx, gy = jnp.meshgrid(row, row, indexing=indexing)"]
CATEGORY = "tile"
