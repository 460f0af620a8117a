"""softmax(axis=...) with the axis as an argument; the mask beside it is an array and the temperature a number."""

import jax
import jax.numpy as jnp


def masked_attention(scores, mask, axis, temperature):
    weights = jax.nn.softmax(scores / temperature, axis=axis, where=mask)
    return jnp.expand_dims(weights.max(axis=0), axis)


S = jnp.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])

FUNCTION = "masked_attention"
CALLS = [
    ((S, S > 0.0, 1, 1.0), {}),
    ((S, S > -9.0, 0, jnp.array(0.3)), {}),
    ((S, S < 5.0), {"axis": -1, "temperature": 2}),
]
KIND = "static"
STATIC = [("axis",)]
SITES = [
    "weights = jax.nn.softmax(scores / temperature, axis=axis, where=mask)",
    "return jnp.expand_dims(weights.max(axis=0), axis)",
]
CATEGORY = "axis"
