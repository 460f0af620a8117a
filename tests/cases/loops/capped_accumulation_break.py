"""Budget spent item by item: a for over the array with a break before the update, so the item that breaks must not count."""

import jax.numpy as jnp


def fill_knapsack(weights, values, capacity):
    used, worth, taken = 0.0, 0.0, 0
    for w, v in zip(weights, values):
        if used + w > capacity:
            break
        used = used + w
        worth = worth + v
        taken += 1
    return used, worth, taken


def fill_knapsack_fixed(weights, values, capacity):
    fits = jnp.cumprod(jnp.cumsum(weights) <= capacity).astype(bool)
    return jnp.where(fits, weights, 0.0).sum(), jnp.where(fits, values, 0.0).sum(), fits.sum()


w, v = jnp.array([2.0, 3.0, 1.0, 4.0]), jnp.array([1.0, 5.0, 2.0, 9.0])

FUNCTION = "fill_knapsack"
CALLS = [((w, v, 6.0), {}), ((w, v, jnp.array(1.0)), {}), ((w, v, jnp.array(99.0)), {}), ((w[:2], v[:2]), {"capacity": 2.0})]
KIND = "rewrite"
FIXED = "fill_knapsack_fixed"
SITES = ["if used + w > capacity:"]
CATEGORY = "break"
