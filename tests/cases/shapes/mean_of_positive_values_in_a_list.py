"""A list comprehension that keeps what passes a test: its length is data. Mean of the kept needs a mask, and so does the count."""

import jax.numpy as jnp


def mean_gain(returns, floor):
    gains = [r - floor for r in returns if r > floor]
    if not gains:
        return 0.0
    return sum(gains) / len(gains)


def mean_gain_fixed(returns, floor):
    kept = returns > floor
    count = kept.sum()
    total = jnp.where(kept, returns - floor, 0.0).sum()
    return jnp.where(count > 0, total / jnp.maximum(count, 1), 0.0)


FUNCTION = "mean_gain"
CALLS = [
    ((jnp.array([0.5, -1.0, 2.0, 0.1]), 0.0), {}),
    ((jnp.array([-0.5, -1.0]), 0.0), {}),
    ((jnp.array([-0.5, -1.0, 3.0]), -5.0), {}),
]
KIND = "rewrite"
FIXED = "mean_gain_fixed"
SITES = ["gains = [r - floor for r in returns if r > floor]"]
CATEGORY = "filtered list"
