"""The first index above the threshold by way of jnp.where with one argument: its length depends on the data, the first entry does
not need it. size=1 with a fill value, or argmax, is the cure."""

import jax.numpy as jnp


def first_spike(voltage, threshold, dt):
    idx = jnp.where(voltage > threshold)[0]
    return idx[0] * dt


def first_spike_fixed(voltage, threshold, dt):
    idx = jnp.where(voltage > threshold, size=1, fill_value=0)[0]
    return idx[0] * dt


v = jnp.array([-65.0, -60.0, -40.0, 20.0, 30.0, -70.0])

FUNCTION = "first_spike"
CALLS = [((v, 0.0, 0.1), {}), ((v[::-1], jnp.array(0.0), 0.1), {}), ((v, -62.0), {"dt": jnp.array(0.5)})]
KIND = "rewrite"
FIXED = "first_spike_fixed"
SITES = ["idx = jnp.where(voltage > threshold)[0]"]
CATEGORY = "nonzero"
