"""Brackets and rates as tuples of numbers, walked through together until the income is reached."""

import jax.numpy as jnp


def income_tax(income, brackets, rates):
    tax = 0.0
    previous = 0.0
    for b, r in zip(brackets, rates):
        if income > b:
            tax += (b - previous) * r
        else:
            tax += (income - previous) * r
            return tax
        previous = b
    return tax + (income - previous) * 0.45


def income_tax_fixed(income, brackets, rates):
    tax = 0.0
    previous = 0.0
    for b, r in zip(brackets, rates):
        tax += jnp.clip(income - previous, 0, b - previous) * r
        previous = b
    return tax + jnp.maximum(income - previous, 0.0) * 0.45


B, R = (10000.0, 40000.0, 90000.0), (0.0, 0.2, 0.4)

FUNCTION = "income_tax"
CALLS = [((30000.0, B, R), {}), ((5000.0, B, R), {}), ((jnp.float32(120000.0), B, R), {}), ((50000.0, B[:1], R[1:2]), {})]
KIND = "rewrite"
FIXED = "income_tax_fixed"
SITES = ["if income > b:"]
CATEGORY = "control_flow"
