"""one_hot's number of classes is a size. Label smoothing beside it is arithmetic."""

import jax
import jax.numpy as jnp


def smoothed_targets(labels, num_classes, smoothing):
    hot = jax.nn.one_hot(labels, num_classes)
    return hot * (1.0 - smoothing) + smoothing / num_classes


FUNCTION = "smoothed_targets"
CALLS = [
    ((jnp.array([0, 2, 1]), 3, 0.1), {}),
    ((jnp.array([0, 2, 1]), 5, 0.1), {}),
    ((jnp.array([1]),), {"num_classes": 3, "smoothing": jnp.array(0.0)}),
]
KIND = "static"
STATIC = [("num_classes",)]
SITES = ["hot = jax.nn.one_hot(labels, num_classes)"]
CATEGORY = "one_hot"
