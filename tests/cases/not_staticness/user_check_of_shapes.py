"""The function's own check of shapes raises: the input is wrong, and the same with jit and without."""

import jax.numpy as jnp


def bilinear(x, W, y, order):
    if W.shape != (x.shape[0], y.shape[0]):
        raise ValueError(f"W is {W.shape}, wanted {(x.shape[0], y.shape[0])}")
    return (x @ W @ y) ** order


FUNCTION = "bilinear"
CALLS = [((jnp.ones(2), jnp.ones((3, 2)), jnp.ones(3), 2), {}), ((jnp.ones(2), jnp.ones((2, 2)), jnp.ones(3), 1), {})]
KIND = "not_staticness"
SITES = ['raise ValueError(f"W is {W.shape}, wanted {(x.shape[0], y.shape[0])}")']
CATEGORY = "user validation"
