"""Real roots of a quadratic with guards as early returns; the last return divides and takes a square root, which the other
inputs do not allow. Values, not only branches, decide, and the results are tuples."""

import jax.numpy as jnp


def real_roots(a, b, c):
    disc = b * b - 4.0 * a * c
    if disc < 0.0:
        return jnp.nan, jnp.nan
    if a == 0.0:
        return -c / b, jnp.nan
    root = jnp.sqrt(disc)
    return (-b - root) / (2.0 * a), (-b + root) / (2.0 * a)


def real_roots_fixed(a, b, c):
    disc = b * b - 4.0 * a * c
    linear = a == 0.0
    root = jnp.sqrt(jnp.maximum(disc, 0.0))
    safe_a = jnp.where(linear, 1.0, a)
    low, high = (-b - root) / (2.0 * safe_a), (-b + root) / (2.0 * safe_a)
    low = jnp.where(linear, -c / b, low)
    high = jnp.where(linear, jnp.nan, high)
    return jnp.where(disc < 0, jnp.nan, low), jnp.where(disc < 0, jnp.nan, high)


def _call(a, b, c):
    return (jnp.float32(a), jnp.float32(b), jnp.float32(c)), {}


FUNCTION = "real_roots"
CALLS = [_call(1, -3, 2), _call(1, 0, 4), _call(0, 2, 5), _call(-1, 1, 6)]
KIND = "rewrite"
FIXED = "real_roots_fixed"
SITES = ["if disc < 0.0:", "if a == 0.0:"]
CATEGORY = "early return"
