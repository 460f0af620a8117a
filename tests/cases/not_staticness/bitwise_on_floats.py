"""A bit operation on floats: a TypeError of the operation itself. The mask is an int and no culprit."""

import jax.numpy as jnp


def parity(values, mask):
    return (values & mask) % 2


FUNCTION = "parity"
CALLS = [((jnp.array([1.0, 2.0]), 1), {}), ((jnp.array([3.0]), 3), {})]
KIND = "not_staticness"
SITES = ["return (values & mask) % 2"]
CATEGORY = "dtype"
