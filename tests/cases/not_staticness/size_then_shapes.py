"""Under jit the size is missed first; but with `n` static the shapes still do not fit, as plain Python says at once."""

import jax.numpy as jnp


def padded_sum(x, n):
    pad = jnp.zeros(n)
    return pad + x


FUNCTION = "padded_sum"
CALLS = [((jnp.ones(3), 4), {})]
KIND = "not_staticness"
SITES = ["pad = jnp.zeros(n)"]
CATEGORY = "shape mismatch"
