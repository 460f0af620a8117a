"""np.linalg.norm, np.maximum and np.dot convert a tracer; the jnp ones are drop-in."""

import jax.numpy as jnp
import numpy as np


def whiten_direction(v, basis, floor):
    length = np.linalg.norm(v)
    unit = v / np.maximum(length, floor)
    return np.dot(basis, unit)


def whiten_direction_fixed(v, basis, floor):
    length = jnp.linalg.norm(v)
    return jnp.dot(basis, v / jnp.maximum(length, floor))


B = jnp.array([[1.0, 1.0], [0.0, 2.0]])

FUNCTION = "whiten_direction"
CALLS = [
    ((jnp.array([3.0, 4.0]), B, 1e-3), {}),
    ((jnp.zeros(2), B, jnp.array(1.0)), {}),
    ((jnp.array([0.1, 0.0]), B), {"floor": jnp.array(0.5)}),
]
KIND = "rewrite"
FIXED = "whiten_direction_fixed"
SITES = ["length = np.linalg.norm(v)", "unit = v / np.maximum(length, floor)", "return np.dot(basis, unit)"]
CATEGORY = "np on tracers"
