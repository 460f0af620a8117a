"""All arguments are Python floats in the first call: static would trace, yet a price is compared and computed with, so it is data
(it comes as an array later)."""

import jax.numpy as jnp


def option_payoff(spot, strike, cap):
    gain = spot - strike
    if gain <= 0.0:
        return 0.0
    return gain if gain < cap else cap


def option_payoff_fixed(spot, strike, cap):
    return jnp.clip(spot - strike, 0.0, cap)


FUNCTION = "option_payoff"
CALLS = [
    ((105.0, 100.0, 10.0), {}),
    ((95.0, 100.0, 10.0), {}),
    ((130.0, 100.0), {"cap": 10.0}),
    ((jnp.array(104.0), jnp.array(100.0), jnp.array(3.0)), {}),
]
KIND = "rewrite"
ALSO = ("static",)  # in the first call alone all are plain floats
FIXED = "option_payoff_fixed"
SITES = ["if gain <= 0.0:", "return gain if gain < cap else cap"]
CATEGORY = "python floats"
