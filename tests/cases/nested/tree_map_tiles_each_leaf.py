"""jax.tree.map with a lambda whose library call wants a plain int; the tree itself is data."""

import jax
import jax.numpy as jnp


def replicate(params, copies, noise):
    tiled = jax.tree.map(lambda p: jnp.tile(p[None], (copies,) + (1,) * p.ndim), params)
    return jax.tree.map(lambda p: p + noise * jnp.arange(copies).reshape((-1,) + (1,) * (p.ndim - 1)), tiled)


P = {"w": jnp.ones((2, 2)), "b": jnp.array([0.5])}

FUNCTION = "replicate"
CALLS = [((P, 3, 0.1), {}), ((P, 1, jnp.array(2.0)), {}), (({"b": jnp.zeros(2)},), {"copies": 2, "noise": 0})]
KIND = "static"
STATIC = [("copies",)]
SITES = ["tiled = jax.tree.map(lambda p: jnp.tile(p[None], (copies,) + (1,) * p.ndim), params)"]
CATEGORY = "tree_map"
