"""The count comes out of NumPy as an np.int64: no Python int, but hashable, and static like one."""

import jax.numpy as jnp
import numpy as np


def smooth(u, passes, weight):
    for _ in range(passes):
        u = (1 - weight) * u + weight * jnp.roll(u, 1)
    return u.reshape(passes + 1, -1)


u = jnp.arange(12.0)

FUNCTION = "smooth"
CALLS = [((u, np.int64(2), 0.5), {}), ((u, np.int32(3), jnp.array(0.1)), {}), ((u,), {"passes": 1, "weight": 1})]
KIND = "static"
STATIC = [("passes",)]
SITES = ["for _ in range(passes):", "return u.reshape(passes + 1, -1)"]
CATEGORY = "numpy scalar"
