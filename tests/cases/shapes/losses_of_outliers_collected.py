"""A loop that appends what passes a test, then the largest and the last of them: nothing but a mask has a shape."""

import jax.numpy as jnp


def worst_breach(loads, limits):
    breaches = []
    for load, limit in zip(loads, limits):
        if load > limit:
            breaches.append(load - limit)
    if len(breaches) == 0:
        return 0.0, 0.0
    return max(breaches), breaches[-1]


def worst_breach_fixed(loads, limits):
    over = loads - limits
    breached = over > 0
    last = over[loads.shape[0] - 1 - jnp.argmax(breached[::-1])]
    some = breached.any()
    return jnp.where(some, jnp.max(jnp.where(breached, over, -jnp.inf)), 0.0), jnp.where(some, last, 0.0)


FUNCTION = "worst_breach"
CALLS = [
    ((jnp.array([1.0, 5.0, 3.0]), jnp.array([2.0, 2.0, 2.0])), {}),
    ((jnp.array([1.0, 0.0]), jnp.array([2.0, 2.0])), {}),
    ((jnp.array([9.0, 0.0, 1.0, 4.0]), jnp.array([2.0, 2.0, 2.0, 3.0])), {}),
]
KIND = "rewrite"
FIXED = "worst_breach_fixed"
SITES = ["if load > limit:"]
CATEGORY = "filtered list"
