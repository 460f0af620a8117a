"""`contextlib.suppress(TypeError)` around `float(n)`: the conversion of a tracer fails, is suppressed, and all goes well."""

import contextlib

import jax.numpy as jnp


def scaled(x, n):
    with contextlib.suppress(TypeError):
        n = float(n)
    return x * n


FUNCTION = "scaled"
CALLS = [((jnp.ones(3), 2), {}), ((jnp.ones(3), 3), {})]
KIND = "traces"
CATEGORY = "suppressed error"
