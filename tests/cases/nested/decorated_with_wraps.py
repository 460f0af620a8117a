"""A timing decorator with functools.wraps around the function: the traced call arrives as *args, the site is in the inner one."""

import functools
import time

import jax.numpy as jnp

CALLS_MADE = {}


def timed(fun):
    @functools.wraps(fun)
    def wrapper(*args, **kwargs):
        start = time.perf_counter()
        try:
            return fun(*args, **kwargs)
        finally:
            CALLS_MADE[fun.__name__] = time.perf_counter() - start

    return wrapper


@timed
def lagged_features(x, n_lags, demean=False):
    cols = [jnp.roll(x, k) for k in range(n_lags)]
    out = jnp.stack(cols, axis=1)[n_lags:]
    return out - out.mean(axis=0) if demean else out


FUNCTION = "lagged_features"
CALLS = [
    ((jnp.arange(6.0), 2), {"demean": True}),
    ((jnp.arange(6.0), 3), {"demean": False}),
    ((jnp.arange(4.0),), {"n_lags": 1, "demean": True}),
]
KIND = "static"
STATIC = [("n_lags", "demean")]
SITES = [
    "cols = [jnp.roll(x, k) for k in range(n_lags)]",
    "out = jnp.stack(cols, axis=1)[n_lags:]",
    "return out - out.mean(axis=0) if demean else out",
]
CATEGORY = "decorator"
