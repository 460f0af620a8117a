"""An inner size that comes from a product of a shape and an option: only the option is static, although the failing number is the
product and `rows` in the same expression is a shape."""

import jax.numpy as jnp


def fold(x, per_row, gain, offset):
    rows = x.shape[0]
    total = rows * per_row
    padded = jnp.zeros(total).at[: x.size].set(x.ravel()[:total])
    return gain * padded.reshape(rows, per_row) + offset


x = jnp.arange(6.0).reshape(3, 2)

FUNCTION = "fold"
CALLS = [
    ((x, 4, 1.0, 0.0), {}),
    ((x, 2, jnp.array(2.0), 1.0), {}),
    ((x[:2],), {"per_row": 3, "gain": 1, "offset": jnp.array(-1.0)}),
]
KIND = "static"
STATIC = [("per_row",)]
SITES = [
    "padded = jnp.zeros(total).at[: x.size].set(x.ravel()[:total])",
    "return gain * padded.reshape(rows, per_row) + offset",
]
CATEGORY = "shape"
