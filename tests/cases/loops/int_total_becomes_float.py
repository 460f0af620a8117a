"""`total = 0` before the loop and floats added in it: the carry changes its type, and with no round the plain result is the int 0."""

import jax.numpy as jnp
from jax import lax


def present_value(flow, rate, years):
    total = 0
    discount = 1
    for _ in range(years):
        discount = discount / (1 + rate)
        total = total + discount * flow
    return total, discount


def present_value_fixed(flow, rate, years):
    def year(_, carry):
        total, discount = carry
        discount = discount / (1 + rate)
        return total + discount * flow, discount

    return lax.fori_loop(0, years, year, (jnp.zeros(()), jnp.ones(())))


FUNCTION = "present_value"
CALLS = [
    ((jnp.array(10.0), 0.05, jnp.int32(3)), {}),
    ((jnp.array(10.0), 0.05, jnp.int32(0)), {}),
    ((5.0, jnp.array(0.2), jnp.int32(8)), {}),
]
KIND = "rewrite"
FIXED = "present_value_fixed"
SITES = ["for _ in range(years):"]
CATEGORY = "range of data"
