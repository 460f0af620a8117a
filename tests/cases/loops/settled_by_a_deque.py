"""The last values in a deque of a fixed length say when a signal has settled."""

from collections import deque

import jax.numpy as jnp


def settled_at(x, tolerance, k=3):
    recent = deque(maxlen=k)
    for i in range(len(x)):
        recent.append(x[i])
        if len(recent) == k and max(recent) - min(recent) < tolerance:
            return i
    return -1


def settled_at_fixed(x, tolerance, k=3):
    windows = x[jnp.arange(len(x) - k + 1)[:, None] + jnp.arange(k)]
    calm = windows.max(1) - windows.min(1) < tolerance
    return jnp.where(calm.any(), jnp.argmax(calm) + k - 1, -1)


x = jnp.array([1.0, 3.0, 2.0, 2.1, 2.0, 9.0])

FUNCTION = "settled_at"
CALLS = [((x, 0.2), {}), ((x, 0.01), {}), ((x[:4], 0.5), {})]
KIND = "rewrite"
FIXED = "settled_at_fixed"
SITES = ["if len(recent) == k and max(recent) - min(recent) < tolerance:"]
CATEGORY = "loops"
