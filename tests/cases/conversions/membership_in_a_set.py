"""`code in {…}` hashes, `code in (…)` compares: two TypeErrors of different sorts for one idea. The code is data."""

import jax.numpy as jnp

WEEKEND = (5, 6)
HOLIDAYS = {1, 359, 360}


def demand(base, weekday, day_of_year):
    factor = 0.6 if weekday in WEEKEND else 1.0
    if day_of_year in HOLIDAYS:
        factor = 0.3
    return base * factor


def demand_fixed(base, weekday, day_of_year):
    weekend = jnp.isin(weekday, jnp.array(WEEKEND))
    holiday = jnp.isin(day_of_year, jnp.array(sorted(HOLIDAYS)))
    return base * jnp.where(holiday, 0.3, jnp.where(weekend, 0.6, 1.0))


FUNCTION = "demand"
CALLS = [
    ((100.0, jnp.int32(5), 7), {}),
    ((100.0, jnp.int32(2), 359), {}),
    ((jnp.array([10.0, 20.0]), jnp.int32(6), 360), {}),
    ((50.0, jnp.int32(1)), {"day_of_year": 12}),
]
KIND = "rewrite"
FIXED = "demand_fixed"
SITES = ["factor = 0.6 if weekday in WEEKEND else 1.0", "if day_of_year in HOLIDAYS:"]
CATEGORY = "membership"
