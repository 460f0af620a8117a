"""Boolean masks as indices: the number of members differs per class and per call, so the sizes are data. `where` and a count do."""

import jax.numpy as jnp


def class_means(x, labels):
    low = x[labels == 0]
    high = x[labels == 1]
    return high.mean() - low.mean(), high.max()


def class_means_fixed(x, labels):
    low, high = labels == 0, labels == 1
    mean = lambda m: jnp.where(m, x, 0.0).sum() / m.sum()
    return mean(high) - mean(low), jnp.where(high, x, -jnp.inf).max()


x = jnp.array([1.0, -2.0, 5.0, 0.5])

FUNCTION = "class_means"
CALLS = [((x, jnp.array([0, 1, 1, 0])), {}), ((-x, jnp.array([0, 1, 0, 0])), {}), ((x[:3], jnp.array([1, 1, 0])), {})]
KIND = "rewrite"
FIXED = "class_means_fixed"
SITES = ["low = x[labels == 0]", "high = x[labels == 1]"]
CATEGORY = "boolean mask"
