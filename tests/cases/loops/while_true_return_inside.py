"""`while True` with a return inside after the update: the body runs at least once and no condition stands in the header."""

import jax.numpy as jnp
from jax import lax


def fixed_point_price(price, demand_slope, supply_slope, tol):
    n = 0
    while True:
        new = (10.0 + supply_slope * jnp.sqrt(price)) / (1.0 + demand_slope)
        n += 1
        if jnp.abs(new - price) < tol or n >= 40:
            return new, n
        price = 0.5 * (price + new)


def fixed_point_price_fixed(price, demand_slope, supply_slope, tol):
    def body(s):
        price, _, n, _ = s
        new = (10.0 + supply_slope * jnp.sqrt(price)) / (1.0 + demand_slope)
        n = n + 1
        done = (jnp.abs(new - price) < tol) | (n >= 40)
        return jnp.where(done, price, 0.5 * (price + new)), new, n, done

    price = jnp.asarray(price)
    _, new, n, _ = lax.while_loop(lambda s: ~s[3], body, (price, price, 0, jnp.array(False)))
    return new, n


FUNCTION = "fixed_point_price"
CALLS = [
    ((jnp.array(1.0), 0.5, 0.8, 1e-2), {}),
    ((jnp.array(4.0), 0.5, jnp.array(0.8), 1e3), {}),
    ((jnp.array(1.0), jnp.array(0.1), 0.0, jnp.array(-1.0)), {}),
]
KIND = "rewrite"
FIXED = "fixed_point_price_fixed"
SITES = ["if jnp.abs(new - price) < tol or n >= 40:"]
CATEGORY = "while"
