"""round(float(x), 2) for a report: float() is the failure, round alone would trace. Prices are data."""

import jax.numpy as jnp


def quote(mid, spread, tick):
    bid = round(float(mid - spread / 2), 2)
    ticks = int((mid + spread / 2) / tick)
    return bid, ticks * tick


def quote_fixed(mid, spread, tick):
    bid = jnp.round(mid - spread / 2, 2)
    ticks = jnp.trunc((mid + spread / 2) / tick)
    return bid, ticks * tick


FUNCTION = "quote"
CALLS = [
    ((jnp.array(101.2371), 0.05, 0.25), {}),
    ((jnp.array(-3.517), jnp.array(0.5), jnp.array(0.1)), {}),
    ((jnp.array(0.0), jnp.array(0.5)), {"tick": 0.2}),
]
KIND = "rewrite"
FIXED = "quote_fixed"
SITES = ["bid = round(float(mid - spread / 2), 2)", "ticks = int((mid + spread / 2) / tick)"]
CATEGORY = "float() and int()"
