"""Random features drawn with NumPy inside the function. The seed goes through `np.squeeze` (a method of the tracer) before NumPy
asks for its value; with seed and width static the matrix is a constant of the program."""

import jax.numpy as jnp
import numpy as np


def random_features(x, seed, width):
    weights = np.random.RandomState(seed).randn(x.shape[-1], width).astype(np.float32)
    return jnp.cos(x @ weights)


FUNCTION = "random_features"
CALLS = [((jnp.ones((2, 3)), 0, 4), {}), ((jnp.ones((2, 3)), 1, 2), {})]
KIND = "static"
STATIC = [("seed", "width")]
SITES = ["weights = np.random.RandomState(seed).randn(x.shape[-1], width).astype(np.float32)"]
CATEGORY = "host randomness"
