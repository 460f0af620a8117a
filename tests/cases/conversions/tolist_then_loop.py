""".tolist() turns an array into Python floats for a loop; iterating over the array itself is the same."""

import jax.numpy as jnp


def horner(coeffs, x):
    acc = 0.0
    for c in coeffs.tolist():
        acc = acc * x + c
    return acc


def horner_fixed(coeffs, x):
    acc = 0.0
    for c in coeffs:
        acc = acc * x + c
    return acc


FUNCTION = "horner"
CALLS = [
    ((jnp.array([1.0, -3.0, 2.0]), jnp.array([0.0, 1.0])), {}),
    ((jnp.array([2.0]), 5.0), {}),
    ((jnp.arange(4.0), jnp.array(0.5)), {}),
]
KIND = "rewrite"
FIXED = "horner_fixed"
SITES = ["for c in coeffs.tolist():"]
CATEGORY = "tolist"
