"""Python's max and min over several traced numbers, one of them as a generator; jnp.maximum and jnp.stack are the cure."""

import jax.numpy as jnp


def minimax_objective(w, scenarios):
    losses = [jnp.sum((w - s) ** 2) for s in scenarios]
    worst = max(losses)
    best = min(v for v in losses)
    return worst + 0.1 * abs(worst - best)


def minimax_objective_fixed(w, scenarios):
    losses = jnp.stack([jnp.sum((w - s) ** 2) for s in scenarios])
    return losses.max() + 0.1 * abs(losses.max() - losses.min())


S = (jnp.array([0.0, 1.0]), jnp.array([2.0, 2.0]), jnp.array([-1.0, 0.0]))

FUNCTION = "minimax_objective"
CALLS = [
    ((jnp.array([0.5, 0.5]), S), {}),
    ((jnp.array([-2.0, 0.0]), S), {}),
    ((jnp.array([3.0]), (jnp.zeros(1), jnp.ones(1))), {}),
]
KIND = "rewrite"
FIXED = "minimax_objective_fixed"
SITES = ["worst = max(losses)", "best = min(v for v in losses)"]
CATEGORY = "max and min"
