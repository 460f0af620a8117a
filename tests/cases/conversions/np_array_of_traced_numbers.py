"""np.array([...]) around traced numbers builds a rotation matrix: NumPy asks each of them for its value."""

import jax.numpy as jnp
import numpy as np


def rotate(points, angle):
    c, s = jnp.cos(angle), jnp.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    return points @ turn.T


def rotate_fixed(points, angle):
    c, s = jnp.cos(angle), jnp.sin(angle)
    return points @ jnp.array([[c, -s], [s, c]]).T


square = jnp.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])

FUNCTION = "rotate"
CALLS = [((square, jnp.array(0.3)), {}), ((square, jnp.array(-2.0)), {}), ((square[:1], jnp.array(0.0)), {})]
KIND = "rewrite"
FIXED = "rotate_fixed"
SITES = ["turn = np.array([[c, -s], [s, c]])"]
CATEGORY = "np on tracers"
