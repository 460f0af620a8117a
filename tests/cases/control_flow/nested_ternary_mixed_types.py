"""A nested ternary of an int, a float and an int: the result's dtype is what plain Python's numbers become."""

import jax.numpy as jnp


def heaviside_grad(x, h):
    step = 0 if x < 0 else 0.5 if x == 0 else 1
    hat = (1 - abs(x) / h) / h if -h < x < h else 0
    return step, hat


def heaviside_grad_fixed(x, h):
    step = jnp.where(x < 0, 0.0, jnp.where(x == 0, 0.5, 1.0))
    return step, jnp.where((-h < x) & (x < h), (1 - abs(x) / h) / h, 0.0)


FUNCTION = "heaviside_grad"
CALLS = [((jnp.float32(v), 0.5), {}) for v in (0.0, 0.2, -0.1, -3.0)] + [((jnp.float32(9.0),), {"h": jnp.array(1.0)})]
KIND = "rewrite"
FIXED = "heaviside_grad_fixed"
SITES = [
    "step = 0 if x < 0 else 0.5 if x == 0 else 1",
    "hat = (1 - abs(x) / h) / h if -h < x < h else 0",
]
CATEGORY = "ternary"
