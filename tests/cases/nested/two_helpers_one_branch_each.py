"""Two helpers with a branch each and a branch in the function itself; one helper is called twice with other values."""

import jax.numpy as jnp


def saturate(x, top):
    return top if x > top else x


def reaction(x):
    if x < 0.1:
        return 10.0 * x
    return 1.0 / x


def ignition(temp, fuel):
    t = saturate(temp, 5.0)
    f = saturate(fuel, 2.0)
    heat = reaction(f) * t
    if heat > 8.0:
        heat = 8.0 + 0.1 * (heat - 8.0)
    return heat, t


def ignition_fixed(temp, fuel):
    t, f = jnp.minimum(temp, 5.0), jnp.minimum(fuel, 2.0)
    low = f < 0.1
    heat = t * jnp.where(low, 10.0 * f, 1.0 / jnp.where(low, 1.0, f))
    return jnp.where(heat > 8.0, 8.0 + 0.1 * (heat - 8.0), heat), t


FUNCTION = "ignition"
CALLS = [
    ((jnp.array(6.0), jnp.array(1.0)), {}),
    ((jnp.array(4.0), jnp.array(0.05)), {}),
    ((jnp.array(4.0), jnp.array(0.2)), {}),
    ((jnp.array(1.0), jnp.array(7.0)), {}),
]
KIND = "rewrite"
FIXED = "ignition_fixed"
SITES = ["return top if x > top else x", "if x < 0.1:", "if heat > 8.0:"]
CATEGORY = "helpers"
