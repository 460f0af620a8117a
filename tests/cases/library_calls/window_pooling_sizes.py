"""lax.reduce_window: window and stride sizes are plain ints to it; the padding is a string."""

import jax.numpy as jnp
from jax import lax


def max_pool(images, window, stride, padding, floor):
    out = lax.reduce_window(images, -jnp.inf, lax.max, (1, window, window), (1, stride, stride), padding)
    return jnp.maximum(out, floor)


I = jnp.sin(jnp.arange(32.0)).reshape(2, 4, 4)

FUNCTION = "max_pool"
CALLS = [
    ((I, 2, 2, "VALID", 0.0), {}),
    ((I, 3, 1, "SAME", jnp.array(-0.5)), {}),
    ((I[:1],), {"window": 2, "stride": 1, "padding": "VALID", "floor": 0}),
]
KIND = "static"
STATIC = [("window", "stride", "padding")]
SITES = ["out = lax.reduce_window(images, -jnp.inf, lax.max, (1, window, window), (1, stride, stride), padding)"]
CATEGORY = "pooling"
