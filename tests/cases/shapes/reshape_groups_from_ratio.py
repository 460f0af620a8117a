"""Two sizes of which the second is a ratio of an argument and a shape; `x.reshape` and a Python `range` over the groups."""

import jax.numpy as jnp


def grouped_conv1x1(x, weights, groups):
    n, c = x.shape
    g = x.reshape(n, groups, c // groups)
    out = [g[:, i] @ weights[i, : c // groups] for i in range(groups)]
    return jnp.concatenate(out, axis=1)


W = jnp.arange(4 * 4 * 2.0).reshape(4, 4, 2) / 8
x4 = jnp.arange(8.0).reshape(2, 4)

FUNCTION = "grouped_conv1x1"
CALLS = [((x4, W, 2), {}), ((x4, W, 4), {}), ((x4 - 1, W), {"groups": 1})]
KIND = "static"
STATIC = [("groups",)]
SITES = [
    "g = x.reshape(n, groups, c // groups)",
    "out = [g[:, i] @ weights[i, : c // groups] for i in range(groups)]",
]
CATEGORY = "reshape"
