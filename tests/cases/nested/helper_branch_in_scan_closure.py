"""A scan over time whose body calls a helper with a name: the string is refused by the outer jit before any line runs."""

import jax.numpy as jnp
from jax import lax


def rate(kind, x, k):
    if kind == "mass_action":
        return k * x
    if kind == "michaelis":
        return k * x / (0.5 + x)
    raise ValueError(kind)


def simulate(x0, inflow, k, kind="mass_action"):
    def tick(x, u):
        x = x + 0.1 * (u - rate(kind, x, k))
        return x, x

    return lax.scan(tick, x0, inflow)[1]


u = jnp.array([1.0, 0.0, 2.0])

FUNCTION = "simulate"
CALLS = [
    ((jnp.array(1.0), u, 0.5), {"kind": "michaelis"}),
    ((jnp.array(0.2), u, jnp.array(2.0), "mass_action"), {}),
    ((jnp.array(1.0), u, 0.5), {}),
]
KIND = "static"
STATIC = [("kind",)]
SITES = ['if kind == "mass_action":']
CATEGORY = "scan body"
