"""A tuple of axes: as a traced argument two tracers in a tuple, as a static one hashable."""

import jax.numpy as jnp


def group_norm(x, axes, eps, keep):
    mu = x.mean(axis=axes, keepdims=True)
    var = ((x - mu) ** 2).mean(axis=axes, keepdims=True)
    out = (x - mu) / jnp.sqrt(var + eps)
    return out if keep else out.sum(axis=axes)


x = jnp.arange(12.0).reshape(2, 3, 2)

FUNCTION = "group_norm"
CALLS = [
    ((x, (1, 2), 1e-5, True), {}),
    ((x, (0,), jnp.array(0.1), False), {}),
    ((x,), {"axes": (0, 1), "eps": 1.0, "keep": True}),
]
KIND = "static"
STATIC = [("axes", "keep")]
SITES = ["mu = x.mean(axis=axes, keepdims=True)"]
CATEGORY = "axis"
