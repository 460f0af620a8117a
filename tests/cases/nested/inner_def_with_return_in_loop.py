"""A nested def with an early return closes over the outer arguments; it is called from a Python loop over parameters."""

import jax.numpy as jnp


def soft_threshold_all(params, lam, scale):
    def shrink(w):
        cut = lam * scale
        if w > cut:
            return w - cut
        if w < -cut:
            return w + cut
        return 0.0 * w

    return {name: shrink(w) for name, w in params.items()}


def soft_threshold_all_fixed(params, lam, scale):
    cut = lam * scale
    return {name: jnp.sign(w) * jnp.maximum(abs(w) - cut, 0.0) for name, w in params.items()}


FUNCTION = "soft_threshold_all"
CALLS = [
    (({"a": jnp.array(2.0), "b": jnp.array(-3.0), "c": jnp.array(0.1)}, 0.5, 1.0), {}),
    (({"a": jnp.array(0.2)}, jnp.array(0.5), 1.0), {}),
    (({"a": jnp.array(-0.2), "d": jnp.array(9.0)}, 0.1), {"scale": jnp.array(1.5)}),
]
KIND = "rewrite"
FIXED = "soft_threshold_all_fixed"
SITES = ["if w > cut:", "if w < -cut:"]
CATEGORY = "nested function"
