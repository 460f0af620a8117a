"""`scale or 1.0` gives the scale itself or the default: the value of `or` is one of its operands and no truth value."""

import jax.numpy as jnp


def rescale(x, scale):
    scale = scale or 1.0
    spread = x.max() - x.min()
    return x / scale, spread and x / spread


def rescale_fixed(x, scale):
    scale = jnp.where(scale != 0, scale, 1.0)
    spread = x.max() - x.min()
    return x / scale, jnp.where(spread != 0, x / jnp.where(spread != 0, spread, 1.0), spread)


FUNCTION = "rescale"
CALLS = [
    ((jnp.array(4.0), jnp.array(2.0)), {}),
    ((jnp.array(4.0), jnp.array(0.0)), {}),
    ((jnp.array(-1.0), 0.5), {}),
]
KIND = "rewrite"
FIXED = "rescale_fixed"
SITES = ["scale = scale or 1.0", "return x / scale, spread and x / spread"]
CATEGORY = "boolean operators"
