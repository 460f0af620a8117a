"""The count is a 0-d NumPy array: it works as an int in plain Python and cannot be static (unhashable), so it is data to jit; the
body is the same each round."""

import jax.numpy as jnp
import numpy as np
from jax import lax


def relax(u, passes, weight):
    for _ in range(passes):
        u = (1 - weight) * u + weight * jnp.roll(u, 1)
    return u


def relax_fixed(u, passes, weight):
    return lax.fori_loop(0, passes, lambda _, u: (1 - weight) * u + weight * jnp.roll(u, 1), u)


u = jnp.arange(4.0)

FUNCTION = "relax"
CALLS = [((u, np.array(2), 0.5), {}), ((u, np.array(0), jnp.array(0.1)), {}), ((u[:2], np.array(5)), {"weight": 1.0})]
KIND = "rewrite"
FIXED = "relax_fixed"
SITES = ["for _ in range(passes):"]
CATEGORY = "numpy array"
