"""losses.index(min(losses)) of a Python list of traced numbers, then a list looked up with it: argmin and a stack."""

import jax.numpy as jnp

RATES = (0.1, 0.01, 0.001)


def pick_rate(w, g, target):
    trials = [w - lr * g for lr in RATES]
    losses = [jnp.sum((t - target) ** 2) for t in trials]
    best = losses.index(min(losses))
    return trials[best], RATES[best]


def pick_rate_fixed(w, g, target):
    trials = jnp.stack([w - lr * g for lr in RATES])
    best = jnp.argmin(jnp.sum((trials - target) ** 2, axis=1))
    return trials[best], jnp.array(RATES)[best]


FUNCTION = "pick_rate"
CALLS = [
    ((jnp.ones(2), jnp.array([10.0, 10.0]), jnp.zeros(2)), {}),
    ((jnp.ones(2), jnp.array([100.0, 90.0]), jnp.zeros(2)), {}),
    ((jnp.ones(1), jnp.array([-1e4]), jnp.array([12.0])), {}),
]
KIND = "rewrite"
FIXED = "pick_rate_fixed"
SITES = ["best = losses.index(min(losses))"]
CATEGORY = "list index"
