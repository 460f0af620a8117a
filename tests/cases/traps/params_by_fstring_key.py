"""params[f"block{i}"] with a traced i: the f-string succeeds and the KeyError comes from the dict. The block is chosen by a number
of the configuration: static."""

import jax.numpy as jnp


def probe(params, x, layer, scale):
    w = params[f"block{layer}"]["w"]
    return scale * jnp.tanh(x @ w)


P = {"block0": {"w": jnp.eye(2)}, "block1": {"w": jnp.ones((2, 3))}}

FUNCTION = "probe"
CALLS = [
    ((P, jnp.array([1.0, 2.0]), 1, 0.5), {}),
    ((P, jnp.array([1.0, 2.0]), 0, jnp.array(2.0)), {}),
    ((P, jnp.ones((4, 2))), {"layer": 1, "scale": 1}),
]
KIND = "static"
STATIC = [("layer",)]
SITES = ['w = params[f"block{layer}"]["w"]']
CATEGORY = "key error"
