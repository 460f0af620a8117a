"""jnp.concatenate with a 0-d array: a ValueError about dimensions, whatever `lag` is."""

import jax.numpy as jnp


def shift(series, lag, fill):
    head = jnp.asarray(fill)
    return jnp.concatenate([head, series[:-1]]) * lag


FUNCTION = "shift"
CALLS = [((jnp.arange(4.0), 1, 0.0), {}), ((jnp.arange(4.0), 2, 9.0), {})]
KIND = "not_staticness"
SITES = ["return jnp.concatenate([head, series[:-1]]) * lag"]
CATEGORY = "shape error"
