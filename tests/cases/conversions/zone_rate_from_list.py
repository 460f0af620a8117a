"""A Python list of numbers looked up with traced indices out of a record, twice; jnp.array(list)[i] is the cure. Negative indices
count from the end in both."""

import jax.numpy as jnp

RATES = [0.0, 0.05, 0.07, 0.19]
FIXED_COSTS = [1, 2, 5, 9]


def invoice(amount, zone):
    tax = amount * RATES[zone]
    shipping = FIXED_COSTS[zone]
    return {"tax": tax, "total": amount + tax + shipping}


def invoice_fixed(amount, zone):
    tax = amount * jnp.array(RATES)[zone]
    return {"tax": tax, "total": amount + tax + jnp.array(FIXED_COSTS)[zone]}


FUNCTION = "invoice"
CALLS = [
    ((jnp.array(10.0), jnp.int32(3)), {}),
    ((jnp.array(20.0), jnp.int32(0)), {}),
    ((jnp.array([1.0, 2.0]), jnp.int32(-1)), {}),
]
KIND = "rewrite"
FIXED = "invoice_fixed"
SITES = ["tax = amount * RATES[zone]", "shipping = FIXED_COSTS[zone]"]
CATEGORY = "list lookup"
