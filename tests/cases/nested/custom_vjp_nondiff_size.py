"""A custom_vjp with nondiff_argnums: a tracer of the outer jit is refused there, at the call, with the advice to use a
differentiable argument instead. The cure is a static argument outside."""

from functools import partial

import jax
import jax.numpy as jnp


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def pooled(x, size):
    return x.reshape(-1, size).max(axis=1)


def _fwd(x, size):
    out = pooled(x, size)
    return out, (x, out)


def _bwd(size, saved, g):
    x, out = saved
    hot = x.reshape(-1, size) == out[:, None]
    return ((hot * g[:, None]).ravel(),)


pooled.defvjp(_fwd, _bwd)


def loss(w, x, size, scale):
    return scale * jnp.sum(pooled(w * x, size) ** 2)


x = jnp.arange(6.0)

FUNCTION = "loss"
CALLS = [
    ((jnp.ones(6), x, 2, 0.5), {}),
    ((jnp.ones(6), x, 3, jnp.array(2.0)), {}),
    ((jnp.array(2.0), x[:4]), {"size": 4, "scale": 1}),
]
KIND = "static"
STATIC = [("size",)]
SITES = ["return scale * jnp.sum(pooled(w * x, size) ** 2)"]
CATEGORY = "custom_vjp"
