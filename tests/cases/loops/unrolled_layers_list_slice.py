"""A slice of a Python list of layers by a count: `layers[:depth]` needs an int (TypeError), the layers differ in shape."""

import jax
import jax.numpy as jnp


def partial_forward(layers, x, depth):
    for w, b in layers[:depth]:
        x = jax.nn.relu(x @ w + b)
    return x.mean(axis=-1)


def _layer(m, n):
    return jnp.sin(jnp.arange(m * n, dtype=jnp.float32)).reshape(m, n), jnp.full(n, 0.1)


net = [_layer(3, 5), _layer(5, 4), _layer(4, 2)]

FUNCTION = "partial_forward"
CALLS = [((net, jnp.ones(3), 2), {}), ((net, jnp.ones((2, 3)), 0), {}), ((net, -jnp.ones(3)), {"depth": 3})]
KIND = "static"
STATIC = [("depth",)]
SITES = ["for w, b in layers[:depth]:"]
CATEGORY = "list slice"
