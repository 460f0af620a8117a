"""float(), int(), math.sqrt, round and max of shapes and of Python numbers: conversions of things that are no tracers."""

import math

import jax.numpy as jnp
import numpy as np

CUTS = [0.25, 0.5, 0.75]


def silverman(x, y, weight):
    n, m = x.shape[0], len(y)
    width = 1.06 * float(n) ** -0.2 / math.sqrt(max(n, m))
    ranks = [int(round(c * (n - 1))) for c in CUTS]
    levels = jnp.sort(x)[jnp.array(ranks)]
    if any(c > 0.6 for c in CUTS) and min(n, m) >= 1:
        levels = levels + width * weight
    return levels, np.log(n) * weight


FUNCTION = "silverman"
CALLS = [
    ((jnp.array([3.0, 1.0, 2.0]), jnp.ones(2), 0.5), {}),
    ((jnp.array([4.0]), jnp.ones(1), jnp.array(1.0)), {}),
    ((jnp.arange(6.0), jnp.ones(9)), {"weight": 2}),
]
KIND = "traces"
CATEGORY = "shapes"
