"""The branches of lax.cond return different dtypes (an int 0 beside a float): a TypeError with jit and without. `debug` looks like
a flag but traces."""

import jax.numpy as jnp
from jax import lax


def barrier_payoff(spot, strike, barrier, debug):
    knocked = spot.max() > barrier
    payoff = lax.cond(knocked, lambda s: 0, lambda s: jnp.maximum(s[-1] - strike, 0.0), spot)
    return payoff + 0.0 * debug


FUNCTION = "barrier_payoff"
CALLS = [((jnp.array([1.0, 2.0]), 1.0, 3.0, False), {}), ((jnp.array([1.0, 4.0]), 1.0, 3.0, True), {})]
KIND = "not_staticness"
SITES = ["payoff = lax.cond(knocked, lambda s: 0, lambda s: jnp.maximum(s[-1] - strike, 0.0), spot)"]
CATEGORY = "branch types"
