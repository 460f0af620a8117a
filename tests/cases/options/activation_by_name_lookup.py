"""The activation is looked up by name in a dict: a string is refused before any line runs. The slope is data."""

import jax
import jax.numpy as jnp

ACTIVATIONS = {
    "relu": lambda z, a: jnp.maximum(z, 0.0),
    "leaky": lambda z, a: jnp.where(z > 0, z, a * z),
    "gelu": lambda z, a: jax.nn.gelu(z),
}


def dense(x, w, b, activation, slope=0.01):
    z = x @ w + b
    return ACTIVATIONS[activation](z, slope)


x = jnp.array([[1.0, -2.0]])
w = jnp.array([[1.0, 0.5, -1.0], [0.3, 0.2, 0.1]])

FUNCTION = "dense"
CALLS = [((x, w, jnp.zeros(3), "leaky", 0.2), {}), ((x, w, jnp.ones(3), "relu"), {}), ((x, w, 0.5), {"activation": "gelu"})]
KIND = "static"
STATIC = [("activation",)]
SITES = ["return ACTIVATIONS[activation](z, slope)"]
CATEGORY = "string"
