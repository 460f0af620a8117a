"""The loop with a return inside lives in a helper that is called twice; the second result depends on the first."""

import jax.numpy as jnp


def first_above(values, level, start):
    for i in range(values.shape[0]):
        if i >= start and values[i] > level:
            return i
    return values.shape[0]


def drawup_length(values, low, high):
    begin = first_above(values, low, 0)
    end = first_above(values, high, begin)
    return end - begin


def first_above_fixed(values, level, start):
    ok = (jnp.arange(values.shape[0]) >= start) & (values > level)
    return jnp.where(ok.any(), jnp.argmax(ok), values.shape[0])


def drawup_length_fixed(values, low, high):
    begin = first_above_fixed(values, low, 0)
    return first_above_fixed(values, high, begin) - begin


v = jnp.array([0.0, 1.5, 0.5, 2.5, 3.0])

FUNCTION = "drawup_length"
CALLS = [((v, 1.0, 2.0), {}), ((v, jnp.array(-1.0), jnp.array(9.0)), {}), ((v[::-1], 2.7, 1.0), {}), ((v[:1], 5.0, 6.0), {})]
KIND = "rewrite"
FIXED = "drawup_length_fixed"
SITES = ["if i >= start and values[i] > level:"]
CATEGORY = "helper"
