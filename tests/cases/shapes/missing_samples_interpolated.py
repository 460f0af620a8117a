"""Missing samples are interpolated from those that are there: points and values selected by one mask."""

import jax.numpy as jnp


def fill_missing(x):
    good = ~jnp.isnan(x)
    index = jnp.arange(len(x))
    return jnp.interp(index, index[good], x[good])


def fill_missing_fixed(x):
    good = ~jnp.isnan(x)
    front = jnp.argsort(~good)
    last = jnp.sum(good) - 1
    places = jnp.minimum(jnp.arange(len(x)), last)
    return jnp.interp(jnp.arange(len(x)), front[places], x[front[places]])


FUNCTION = "fill_missing"
CALLS = [
    ((jnp.array([1.0, jnp.nan, 3.0, 5.0]),), {}),
    ((jnp.array([jnp.nan, 2.0, jnp.nan, jnp.nan, 4.0]),), {}),
    ((jnp.array([1.0, 2.0]),), {}),
]
KIND = "rewrite"
FIXED = "fill_missing_fixed"
SITES = ["return jnp.interp(index, index[good], x[good])"]
CATEGORY = "shapes"
