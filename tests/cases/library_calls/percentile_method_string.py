"""jnp.percentile: the level is data (it may be traced), the interpolation method is a string."""

import jax.numpy as jnp


def value_at_risk(pnl, level, method, scale=1.0):
    return -scale * jnp.percentile(pnl, 100.0 * (1.0 - level), method=method)


p = jnp.array([-3.0, 1.0, 0.5, -0.2, 2.0, -1.0])

FUNCTION = "value_at_risk"
CALLS = [
    ((p, 0.95, "linear"), {}),
    ((p, jnp.array(0.8), "lower"), {}),
    ((p,), {"level": 0.5, "method": "nearest", "scale": 10}),
]
KIND = "static"
STATIC = [("method",)]
SITES = ["return -scale * jnp.percentile(pnl, 100.0 * (1.0 - level), method=method)"]
CATEGORY = "string option"
