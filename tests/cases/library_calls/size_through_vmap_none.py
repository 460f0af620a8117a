"""`vmap` with `in_axes=None` hands a Python int on as it is: under jit the count is traced, static it stays a number."""

import jax
import jax.numpy as jnp


def _upsampled(x, factor):
    return jnp.repeat(x, factor)


def upsample_rows(xs, factor):
    return jax.vmap(_upsampled, in_axes=(0, None))(xs, factor)


FUNCTION = "upsample_rows"
CALLS = [((jnp.ones((2, 3)), 2), {}), ((jnp.ones((2, 3)), 3), {})]
KIND = "static"
STATIC = [("factor",)]
SITES = ["return jnp.repeat(x, factor)"]
CATEGORY = "vmap"
