"""int(np.ceil(horizon / dt)): two floats decide the number of grid points, so both are static although they are floats."""

import jax.numpy as jnp
import numpy as np


def brownian_grid(horizon, dt, volatility):
    n = int(np.ceil(horizon / dt))
    t = jnp.linspace(0.0, n * dt, n + 1)
    return t, volatility * jnp.sqrt(t)


FUNCTION = "brownian_grid"
CALLS = [((1.0, 0.25, 0.2), {}), ((1.0, 0.25, jnp.array(0.7)), {}), ((0.9,), {"dt": 0.2, "volatility": 1})]
KIND = "static"
STATIC = [("horizon", "dt")]
SITES = ["n = int(np.ceil(horizon / dt))"]
CATEGORY = "static float"
