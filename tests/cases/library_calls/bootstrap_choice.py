"""random.choice: the sample size is a shape and `replace` is asked for its truth. Both are options; the key is data."""

import jax
import jax.numpy as jnp


def bootstrap_mean(key, sample, size, replace):
    draw = jax.random.choice(key, sample, (size,), replace=replace)
    return draw.mean(), draw.std()


xs = jnp.array([1.0, 4.0, 2.0, 8.0, 5.0])

FUNCTION = "bootstrap_mean"
CALLS = [
    ((jax.random.key(0), xs, 4, True), {}),
    ((jax.random.key(0), xs, 4, False), {}),
    ((jax.random.key(1), xs + 1), {"size": 3, "replace": True}),
]
KIND = "static"
STATIC = [("size", "replace")]
SITES = ["draw = jax.random.choice(key, sample, (size,), replace=replace)"]
CATEGORY = "random"
