"""match with mapping, sequence and class patterns on a tree of arrays: keys, lengths and types are structure, no value is asked for."""

import jax
import jax.numpy as jnp


def layer(params, x):
    match params:
        case {"w": w, "b": b}:
            return x @ w + b
        case {"scale": s}:
            return x * s
        case (first, *rest):
            x = layer(first, x)
            return layer(tuple(rest), x) if rest else x
        case jax.Array():
            return x + params
    return x


net = ({"w": jnp.eye(2), "b": jnp.ones(2)}, {"scale": jnp.array(3.0)}, jnp.array([0.5, -0.5]))

FUNCTION = "layer"
CALLS = [((net, jnp.array([1.0, 2.0])), {}), (({"scale": 2.0}, jnp.ones(3)), {}), ((net[:1], jnp.ones((4, 2))), {})]
KIND = "traces"
CATEGORY = "match"
