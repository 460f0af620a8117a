"""unravel_index takes a traced shape without complaint, so the first line is no site; the reshape below it is one. The tuple of sizes
is static as a whole."""

import jax.numpy as jnp


def peak_position(density, shape, spacing):
    flat = jnp.argmax(density)
    i, j = jnp.unravel_index(flat, shape)
    return i * spacing, j * spacing, density.reshape(shape)[i].sum()


d = jnp.array([0.1, 0.5, 0.2, 0.9, 0.0, 0.3])

FUNCTION = "peak_position"
CALLS = [((d, (2, 3), 0.1), {}), ((d[::-1], (3, 2), jnp.array(1.0)), {}), ((d[:4],), {"shape": (2, 2), "spacing": 1})]
KIND = "static"
STATIC = [("shape",)]
SITES = ["return i * spacing, j * spacing, density.reshape(shape)[i].sum()"]
CATEGORY = "shape"
