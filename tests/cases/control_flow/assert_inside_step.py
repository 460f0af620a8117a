"""An assert on the data in the middle of a pure function. It must go (or become a checkify check); the value does not depend on it."""

import jax.numpy as jnp


def bond_price(face, coupon, rate, periods):
    assert rate > -1.0, "rate too low"
    disc = (1.0 + rate) ** -jnp.arange(1.0, 6.0)
    alive = jnp.arange(1, 6) <= periods
    assert jnp.all(coupon >= 0)
    return face * (1.0 + rate) ** -periods + jnp.sum(jnp.where(alive, coupon * disc, 0.0))


def bond_price_fixed(face, coupon, rate, periods):
    disc = (1.0 + rate) ** -jnp.arange(1.0, 6.0)
    alive = jnp.arange(1, 6) <= periods
    return face * (1.0 + rate) ** -periods + jnp.sum(jnp.where(alive, coupon * disc, 0.0))


FUNCTION = "bond_price"
CALLS = [
    ((100.0, jnp.array(3.0), jnp.array(0.02), 5), {}),
    ((100.0, jnp.array(0.0), jnp.array(-0.5), 2), {}),
    ((50.0, jnp.array(1.5)), {"rate": jnp.array(0.1), "periods": jnp.array(3)}),
]
KIND = "rewrite"
FIXED = "bond_price_fixed"
SITES = ['assert rate > -1.0, "rate too low"', "assert jnp.all(coupon >= 0)"]
CATEGORY = "assert"
