"""for … else with a continue and a break over a table: whether the else part runs depends on the data."""

import jax.numpy as jnp


def cheapest_feasible(costs, demand, supply):
    total = 0.0
    for c, d in zip(costs, demand):
        if d <= 0:
            continue
        if d > supply:
            total = jnp.inf
            break
        supply = supply - d
        total = total + c * d
    else:
        total = total + 0.1 * supply
    return total


def cheapest_feasible_fixed(costs, demand, supply):
    total, broken = 0.0, jnp.array(False)
    for c, d in zip(costs, demand):
        wanted = (d > 0) & ~broken
        broken = broken | (wanted & (d > supply))
        fill = wanted & ~broken
        supply = jnp.where(fill, supply - d, supply)
        total = jnp.where(fill, total + c * d, total)
    return jnp.where(broken, jnp.inf, total + 0.1 * supply)


c = jnp.array([1.0, 2.0, 3.0])

FUNCTION = "cheapest_feasible"
CALLS = [
    ((c, jnp.array([2.0, -1.0, 1.0]), 5.0), {}),
    ((c, jnp.array([2.0, 4.0, 1.0]), jnp.array(5.0)), {}),
    ((c, jnp.array([0.0, 0.0, 0.0]), 1.0), {}),
    ((c[:2], jnp.array([1.0, 1.0])), {"supply": jnp.array(2.0)}),
]
KIND = "rewrite"
FIXED = "cheapest_feasible_fixed"
SITES = ["if d <= 0:", "if d > supply:"]
CATEGORY = "for else"
