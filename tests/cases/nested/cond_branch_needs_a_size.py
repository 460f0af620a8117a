"""A lax.cond done right, one of whose branches makes an array of a length given by an argument: the length is static, the predicate is
data and already well handled."""

import jax.numpy as jnp
from jax import lax


def draw_lags(pressure, limit, n_lags, decay):
    def weights(_):
        return decay ** jnp.arange(n_lags)

    def flat(_):
        return jnp.full(n_lags, 1.0 / n_lags)

    w = lax.cond(pressure > limit, weights, flat, None)
    return w / w.sum()


FUNCTION = "draw_lags"
CALLS = [
    ((jnp.array(2.0), 1.0, 3, 0.5), {}),
    ((jnp.array(0.0), jnp.array(1.0), 3, 0.5), {}),
    ((3.0,), {"limit": 1.0, "n_lags": 2, "decay": jnp.array(0.9)}),
]
KIND = "static"
STATIC = [("n_lags",)]
SITES = ["return decay ** jnp.arange(n_lags)", "return jnp.full(n_lags, 1.0 / n_lags)"]
CATEGORY = "cond body"
