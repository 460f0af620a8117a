"""An instance with __call__ that keeps its knots as attributes: self is closed over; the early return inside a loop reads the data."""

import jax.numpy as jnp


class PiecewiseRate:
    def __init__(self, edges, rates):
        self.edges, self.rates = edges, rates

    def __call__(self, t):
        for edge, rate in zip(self.edges, self.rates):
            if t < edge:
                return rate * t
        return self.rates[-1] * t


curve = PiecewiseRate((1.0, 5.0), (0.1, 0.2, 0.3))


def curve_fixed(t):
    return jnp.where(t < 1.0, 0.1, jnp.where(t < 5.0, 0.2, 0.3)) * t


FUNCTION = "curve"
CALLS = [((jnp.array(v),), {}) for v in (2.0, 0.5, 9.0)]
KIND = "rewrite"
FIXED = "curve_fixed"
SITES = ["if t < edge:"]
CATEGORY = "callable object"
