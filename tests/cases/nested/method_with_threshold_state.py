"""A bound method: self is closed over, so its float and its flag are no tracers; the data test on the argument is."""

import jax.numpy as jnp


class Thermostat:
    def __init__(self, target, band, eco):
        self.target, self.band, self.eco = target, band, eco

    def heat_power(self, temperature):
        goal = self.target - 2.0 if self.eco else self.target
        if temperature < goal - self.band:
            return 1000.0
        elif temperature > goal + self.band:
            return 0.0
        return 500.0 * (goal + self.band - temperature) / self.band


def heat_power_fixed(temperature):
    goal, band = 18.0, 0.5
    middle = 500.0 * (goal + band - temperature) / band
    return jnp.where(temperature < goal - band, 1000.0, jnp.where(temperature > goal + band, 0.0, middle))


FUNCTION = "Thermostat(20.0, 0.5, True).heat_power"
CALLS = [((jnp.array(t),), {}) for t in (18.2, 15.0, 25.0)]
KIND = "rewrite"
FIXED = "heat_power_fixed"
SITES = ["if temperature < goal - self.band:", "elif temperature > goal + self.band:"]
CATEGORY = "method"
