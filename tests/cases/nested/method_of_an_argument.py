"""An argument's own method decides by its fields; the method stands in the class of the argument."""

from typing import NamedTuple

import jax.numpy as jnp


class Limits(NamedTuple):
    low: float
    high: float

    def apply(self, v):
        if v < self.low:
            return self.low
        if v > self.high:
            return self.high
        return v


def controlled(limits, x, gain):
    return limits.apply(gain * x)


def controlled_fixed(limits, x, gain):
    return jnp.clip(gain * x, limits.low, limits.high)


FUNCTION = "controlled"
CALLS = [
    ((Limits(0.0, 1.0), 0.7, 2.0), {}),
    ((Limits(0.0, 1.0), 0.2, 2.0), {}),
    ((Limits(0.0, 1.0), jnp.float32(-0.2), 2.0), {}),
]
KIND = "rewrite"
FIXED = "controlled_fixed"
SITES = ["if v < self.low:"]
CATEGORY = "nested"
