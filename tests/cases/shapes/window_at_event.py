"""x[i - 2 : i + 3]: the length is a constant, the start is data, and at the end of the array Python makes it shorter. IndexError in
both JAX versions; a mask is the cure for the largest of the window and for the mean of what came before."""

import jax.numpy as jnp


def event_window(trace, event):
    baseline = trace[:event].mean()
    window = trace[event - 2 : event + 3]
    return jnp.max(window - baseline)


def event_window_fixed(trace, event):
    before = jnp.arange(trace.shape[0]) < event
    baseline = jnp.where(before, trace, 0.0).sum() / event
    places = event - 2 + jnp.arange(5)
    return jnp.max(jnp.where(places < trace.shape[0], trace[places] - baseline, -jnp.inf))


trace = jnp.sin(jnp.arange(12.0))

FUNCTION = "event_window"
CALLS = [
    ((trace, jnp.int32(4)), {}),
    ((trace, jnp.int32(9)), {}),
    ((trace * 2, jnp.int32(2)), {}),
    ((trace, jnp.int32(11)), {}),
]
KIND = "rewrite"
FIXED = "event_window_fixed"
SITES = ["baseline = trace[:event].mean()", "window = trace[event - 2 : event + 3]"]
CATEGORY = "dynamic slice"
