"""x[i - 2 : i + 3]: the length is a constant, the start is data. IndexError in both JAX versions; dynamic_slice is the cure
there, and a mask for the mean of what came before."""

import jax.numpy as jnp
from jax import lax


def event_window(trace, event):
    baseline = trace[:event].mean()
    window = trace[event - 2 : event + 3]
    return window - baseline


def event_window_fixed(trace, event):
    before = jnp.arange(trace.shape[0]) < event
    baseline = jnp.where(before, trace, 0.0).sum() / event
    window = lax.dynamic_slice(trace, (event - 2,), (5,))
    return window - baseline


trace = jnp.sin(jnp.arange(12.0))

FUNCTION = "event_window"
CALLS = [((trace, jnp.int32(4)), {}), ((trace, jnp.int32(9)), {}), ((trace * 2, jnp.int32(2)), {})]
KIND = "rewrite"
FIXED = "event_window_fixed"
SITES = ["baseline = trace[:event].mean()", "window = trace[event - 2 : event + 3]"]
CATEGORY = "dynamic slice"
