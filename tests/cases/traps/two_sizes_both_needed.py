"""A width that is only compared in an assert and a factor that makes the output's size: both are static, and either alone only moves
the failure to the other line."""

import jax.numpy as jnp


def widen(x, width, factor, noise):
    assert x.shape[-1] == width, "unexpected width"
    out = jnp.full((x.shape[0], width * factor), noise)
    return out.at[:, :width].set(x)


x = jnp.arange(6.0).reshape(2, 3)

FUNCTION = "widen"
CALLS = [((x, 3, 2, 0.1), {}), ((x[:, :2], 2, 3, jnp.array(0.0)), {}), ((x,), {"width": 3, "factor": 1, "noise": -1})]
KIND = "static"
STATIC = [("width", "factor")]
SITES = ['assert x.shape[-1] == width, "unexpected width"', "out = jnp.full((x.shape[0], width * factor), noise)"]
CATEGORY = "shape"
