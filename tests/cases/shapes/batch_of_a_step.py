"""x[i * size : (i + 1) * size]: the batch index is data, the batch size a size. Static size alone leaves the slice traced and
dynamic_slice alone leaves the length traced, so both are needed."""

import jax.numpy as jnp
from jax import lax


def minibatch_grad(w, X, y, i, size):
    xb = X[i * size : (i + 1) * size]
    yb = y[i * size : (i + 1) * size]
    return xb.T @ (xb @ w - yb) / size


def minibatch_grad_fixed(w, X, y, i, size):
    xb = lax.dynamic_slice_in_dim(X, i * size, size)
    yb = lax.dynamic_slice_in_dim(y, i * size, size)
    return xb.T @ (xb @ w - yb) / size


X = jnp.arange(24.0).reshape(12, 2) / 10
y = jnp.cos(jnp.arange(12.0))

FUNCTION = "minibatch_grad"
CALLS = [
    ((jnp.ones(2), X, y, jnp.int32(1), 4), {}),
    ((jnp.ones(2), X, y, jnp.int32(0), 4), {}),
    ((jnp.zeros(2), X, y), {"i": jnp.int32(5), "size": 2}),
]
KIND = "static+rewrite"
STATIC = [("size",)]
ALSO = ("rewrite",)  # a mask over all rows needs no static size, at the price of the whole product
FIXED = "minibatch_grad_fixed"
FIXED_STATIC = ("size",)
SITES = ["xb = X[i * size : (i + 1) * size]", "yb = y[i * size : (i + 1) * size]"]
CATEGORY = "dynamic slice"
