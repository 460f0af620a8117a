"""A hysteresis flag: `locked` starts as a Python bool and is set inside ifs on data, so after the first rewrite the ternary that reads
it needs one too. Only the first two lines ask a tracer in the shape the code has now."""

import jax.numpy as jnp


def epidemic(s, i, beta, gamma, high, low):
    locked = False
    peak = i
    for _ in range(6):
        if i > high:
            locked = True
        elif i < low:
            locked = False
        rate = 0.3 * beta if locked else beta
        new = rate * s * i
        s, i = s - new, i + new - gamma * i
        peak = jnp.maximum(peak, i)
    return s, i, peak, locked


def epidemic_fixed(s, i, beta, gamma, high, low):
    locked = jnp.array(False)
    peak = i
    for _ in range(6):
        locked = (i > high) | (locked & ~(i < low))
        rate = jnp.where(locked, 0.3 * beta, beta)
        new = rate * s * i
        s, i = s - new, i + new - gamma * i
        peak = jnp.maximum(peak, i)
    return s, i, peak, locked


FUNCTION = "epidemic"
CALLS = [
    ((jnp.array(0.95), jnp.array(0.05), 1.2, 0.3, 0.15, 0.02), {}),
    ((jnp.array(0.95), jnp.array(0.05), 1.2, 0.3, jnp.array(0.9), 0.02), {}),
    ((jnp.array(0.7), jnp.array(0.3), jnp.array(0.5), 0.9, 0.2, jnp.array(0.15)), {}),
]
KIND = "rewrite"
FIXED = "epidemic_fixed"
SITES = ["if i > high:", "elif i < low:"]
CATEGORY = "real_world"
