"""`done = False; while not done:` with the flag set from a comparison in the body: the first test is on a plain bool."""

import jax.numpy as jnp
from jax import lax


def secant(x0, x1, target):
    f = lambda x: x**3 + x - target
    done, n = False, 0
    while not done:
        slope = (f(x1) - f(x0)) / (x1 - x0)
        x0, x1 = x1, x1 - f(x1) / slope
        n += 1
        done = jnp.abs(x1 - x0) < 1e-3
    return x1, n


def secant_fixed(x0, x1, target):
    f = lambda x: x**3 + x - target

    def body(s):
        x0, x1, n, _ = s
        slope = (f(x1) - f(x0)) / (x1 - x0)
        new = x1 - f(x1) / slope
        return x1, new, n + 1, jnp.abs(new - x1) < 1e-3

    _, x1, n, _ = lax.while_loop(lambda s: ~s[3], body, (x0, x1, 0, jnp.array(False)))
    return x1, n


FUNCTION = "secant"
CALLS = [
    ((jnp.array(0.0), jnp.array(1.0), 3.0), {}),
    ((jnp.array(1.0), jnp.array(2.0), jnp.array(30.0)), {}),
    ((jnp.array(1.0), jnp.array(1.0005), jnp.array(2.0)), {}),
]
KIND = "rewrite"
FIXED = "secant_fixed"
SITES = ["while not done:"]
CATEGORY = "while"
