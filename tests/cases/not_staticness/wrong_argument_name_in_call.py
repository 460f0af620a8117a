"""The caller misspells a keyword: a TypeError about an unexpected argument, with jit and without."""

import jax.numpy as jnp


def smooth(signal, width=3, mode="same"):
    kernel = jnp.ones(3) / 3
    return jnp.convolve(signal, kernel, mode=mode)


FUNCTION = "smooth"
CALLS = [((jnp.arange(5.0),), {"windth": 3}), ((jnp.arange(5.0),), {"windth": 5})]
KIND = "not_staticness"
CATEGORY = "wrong call"
