"""A list method on an array (`.append`), in a loop with an int count at its default: an AttributeError everywhere."""

import jax.numpy as jnp


def running_max(x, floor, window=2):
    out = jnp.array([])
    for i in range(window, x.shape[0]):
        out.append(jnp.maximum(x[i - window : i].max(), floor))
    return out


FUNCTION = "running_max"
CALLS = [((jnp.arange(5.0), 0), {}), ((jnp.arange(4.0), 1), {})]
KIND = "not_staticness"
SITES = ["out.append(jnp.maximum(x[i - window : i].max(), floor))"]
CATEGORY = "other library's API"
