"""axis and keepdims of a reduction are parameters of JAX, not data; both reach the same call."""

import jax.numpy as jnp


def log_sum_exp(x, axis, keepdims, temperature=1.0):
    x = x / temperature
    top = jnp.max(x, axis=axis, keepdims=True)
    total = jnp.sum(jnp.exp(x - top), axis=axis, keepdims=keepdims)
    return temperature * (jnp.log(total) + (top if keepdims else jnp.squeeze(top, axis=axis)))


X = jnp.arange(6.0).reshape(2, 3)

FUNCTION = "log_sum_exp"
CALLS = [
    ((X, 1, False), {}),
    ((X, 0, True), {"temperature": 0.5}),
    ((X,), {"axis": -1, "keepdims": False, "temperature": jnp.array(2.0)}),
]
KIND = "static"
STATIC = [("axis", "keepdims")]
SITES = ["top = jnp.max(x, axis=axis, keepdims=True)"]
CATEGORY = "axis"
