"""Python's min(x, cap) with a NaN: min keeps its first argument when the comparison is False, jnp.minimum spreads NaN from both sides."""

import jax.numpy as jnp


def clip_weights(raw, cap, floor):
    w = min(cap, raw)
    w = max(w, floor)
    return w, max(0, raw)


def clip_weights_fixed(raw, cap, floor):
    w = jnp.where(raw < cap, raw, cap)
    w = jnp.where(floor > w, floor, w)
    return w, jnp.where(raw > 0, raw, 0.0)


FUNCTION = "clip_weights"
CALLS = [((jnp.array(v), jnp.array(2.0), jnp.array(-1.0)), {}) for v in (0.5, 7.0, -3.0, jnp.nan)] + [
    ((jnp.array(0.0), 1.0, 0.5), {})
]
KIND = "rewrite"
FIXED = "clip_weights_fixed"
SITES = ["w = min(cap, raw)", "w = max(w, floor)", "return w, max(0, raw)"]
CATEGORY = "nan"
