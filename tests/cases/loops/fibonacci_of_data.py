"""`for _ in range(n)` with a tuple swap; n is an element of an array, so it is data."""

import jax.numpy as jnp
from jax import lax


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def fibonacci_fixed(n):
    return lax.fori_loop(0, n, lambda _, s: (s[1], s[0] + s[1]), (0, 1))[0]


FUNCTION = "fibonacci"
CALLS = [((jnp.int32(n),), {}) for n in (7, 0, 1, 20)]
KIND = "rewrite"
FIXED = "fibonacci_fixed"
SITES = ["for _ in range(n):"]
CATEGORY = "range of data"
