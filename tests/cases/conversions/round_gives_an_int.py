"""round(float(x)) and math.floor give Python ints that index an array: the rewrite has to keep them integers."""

import math

import jax.numpy as jnp


def interpolate(table, x):
    lo = math.floor(x)
    frac = x - lo
    nearest = round(float(x))
    return table[lo] * (1 - frac) + table[lo + 1] * frac, table[nearest], nearest


def interpolate_fixed(table, x):
    lo = jnp.floor(x).astype(int)
    frac = x - lo
    nearest = jnp.round(x).astype(int)
    return table[lo] * (1 - frac) + table[lo + 1] * frac, table[nearest], nearest


T = jnp.array([0.0, 1.0, 4.0, 9.0, 16.0])

FUNCTION = "interpolate"
CALLS = [((T, jnp.array(1.3)), {}), ((T, jnp.array(2.5)), {}), ((T + 1, jnp.array(0.0)), {}), ((T[::-1], jnp.array(2.9)), {})]
KIND = "rewrite"
FIXED = "interpolate_fixed"
SITES = ["lo = math.floor(x)", "nearest = round(float(x))"]
CATEGORY = "math"
