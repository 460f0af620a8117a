"""Income tax by brackets, one early return per bracket. The income is data and the thresholds are plain floats of the module."""

import jax.numpy as jnp

FREE, MIDDLE, TOP = 10_000.0, 50_000.0, 120_000.0


def income_tax(income):
    if income <= FREE:
        return 0.0
    if income <= MIDDLE:
        return 0.2 * (income - FREE)
    tax = 0.2 * (MIDDLE - FREE)
    if income <= TOP:
        return tax + 0.35 * (income - MIDDLE)
    return tax + 0.35 * (TOP - MIDDLE) + 0.45 * (income - TOP)


def income_tax_fixed(income):
    low = jnp.clip(income - FREE, 0.0, MIDDLE - FREE)
    mid = jnp.clip(income - MIDDLE, 0.0, TOP - MIDDLE)
    return 0.2 * low + 0.35 * mid + 0.45 * jnp.maximum(income - TOP, 0.0)


FUNCTION = "income_tax"
CALLS = [((jnp.float32(v),), {}) for v in (30_000.0, 8_000.0, 50_000.0, 99_000.0, 400_000.0)]
KIND = "rewrite"
FIXED = "income_tax_fixed"
SITES = ["if income <= FREE:", "if income <= MIDDLE:"]
CATEGORY = "early return"
