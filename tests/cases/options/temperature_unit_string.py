"""A student's converter: the unit is a string compared in an if-chain, `digits` is jnp.round's static parameter."""

import jax.numpy as jnp


def to_kelvin(reading, unit, digits):
    if unit == "C":
        k = reading + 273.15
    elif unit == "F":
        k = (reading - 32.0) * 5.0 / 9.0 + 273.15
    else:
        k = reading
    return jnp.round(k, digits)


r = jnp.array([20.123, -3.456])

FUNCTION = "to_kelvin"
CALLS = [((r, "C", 1), {}), ((r, "F", 2), {}), ((r,), {"unit": "K", "digits": 0})]
KIND = "static"
STATIC = [("unit", "digits")]
SITES = ['if unit == "C":', "return jnp.round(k, digits)"]
CATEGORY = "string"
