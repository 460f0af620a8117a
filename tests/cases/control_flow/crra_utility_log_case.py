"""CRRA utility with its logarithmic limit: the risk aversion is estimated, so it is data. The branch not taken divides by zero, so
a plain `where` gives a NaN gradient in gamma at 1; the value alone would not show it."""

import jax.numpy as jnp


def utility(consumption, gamma):
    if gamma == 1.0:
        u = jnp.log(consumption)
    else:
        u = (consumption ** (1.0 - gamma) - 1.0) / (1.0 - gamma)
    return u


def utility_fixed(consumption, gamma):
    log_case = gamma == 1.0
    power = 1.0 - jnp.where(log_case, 2.0, gamma)
    return jnp.where(log_case, jnp.log(consumption), (consumption**power - 1.0) / power)


c = jnp.array([0.5, 1.0, 3.0])

FUNCTION = "utility"
CALLS = [((c, jnp.array(2.0)), {}), ((c, jnp.array(1.0)), {}), ((c * 2, 0.5), {}), ((c[:2], 1.0), {})]
KIND = "rewrite"
FIXED = "utility_fixed"
SITES = ["if gamma == 1.0:"]
CATEGORY = "if"
