"""An inner jit with static arguments that always gets literals or shapes, and a partial that binds a count."""

from functools import partial

import jax
import jax.numpy as jnp


@partial(jax.jit, static_argnames=("n", "mode"))
def resample(x, n, mode="linear"):
    t = jnp.linspace(0.0, x.shape[0] - 1.0, n)
    if mode == "nearest":
        return x[jnp.round(t).astype(int)]
    return jnp.interp(t, jnp.arange(x.shape[0]), x)


double = partial(resample, mode="nearest")


def two_scales(x, gain):
    fine = double(x, n=2 * x.shape[0])
    coarse = resample(x, 3)
    return gain * fine, gain * coarse


FUNCTION = "two_scales"
CALLS = [((jnp.array([1.0, 3.0, 2.0]), 2.0), {}), ((jnp.arange(5.0), jnp.array(0.5)), {}), ((jnp.array([7.0]),), {"gain": 1})]
KIND = "traces"
CATEGORY = "inner jit"
