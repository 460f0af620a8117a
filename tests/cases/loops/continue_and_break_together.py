"""continue before and break after the update, in a loop over two arrays: a rewrite needs a flag and two guards."""

import jax.numpy as jnp


def execute_orders(prices, sizes, limit, cash):
    bought = 0.0
    for price, size in zip(prices, sizes):
        if price > limit:
            continue
        cost = price * size
        if cost > cash:
            break
        cash = cash - cost
        bought += size
    return bought, cash


def execute_orders_fixed(prices, sizes, limit, cash):
    bought, stopped = 0.0, jnp.array(False)
    for price, size in zip(prices, sizes):
        wanted = (price <= limit) & ~stopped
        cost = price * size
        stopped = stopped | (wanted & (cost > cash))
        fill = wanted & ~stopped
        cash = jnp.where(fill, cash - cost, cash)
        bought = jnp.where(fill, bought + size, bought)
    return bought, cash


pr, sz = jnp.array([9.0, 12.0, 8.0, 10.0, 7.0]), jnp.array([1.0, 1.0, 2.0, 5.0, 1.0])

FUNCTION = "execute_orders"
CALLS = [
    ((pr, sz, 10.0, 40.0), {}),
    ((pr, sz, jnp.array(99.0), 1000.0), {}),
    ((pr, sz, 5.0, 40.0), {}),
    ((pr[:2], sz[:2]), {"limit": 20.0, "cash": jnp.array(5.0)}),
]
KIND = "rewrite"
FIXED = "execute_orders_fixed"
SITES = ["if price > limit:", "if cost > cash:"]
CATEGORY = "continue and break"
