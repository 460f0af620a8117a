"""np.arange(n) and np.ones(n) of a traced count: a concretization error out of NumPy; jnp would not help, the size must be known."""

import jax.numpy as jnp
import numpy as np


def coupon_bond(rate, n_periods, coupon):
    times = np.arange(1, n_periods + 1)
    flows = coupon * np.ones(n_periods)
    return jnp.sum(flows * (1.0 + rate) ** -times) + (1.0 + rate) ** -n_periods


FUNCTION = "coupon_bond"
CALLS = [((0.03, 5, 0.04), {}), ((jnp.array(0.1), 2, jnp.array(0.0)), {}), ((0.03,), {"n_periods": 1, "coupon": 1})]
KIND = "static"
STATIC = [("n_periods",)]
SITES = ["times = np.arange(1, n_periods + 1)", "flows = coupon * np.ones(n_periods)"]
CATEGORY = "np on tracers"
