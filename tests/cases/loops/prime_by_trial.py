"""A student's primality test: the range ends at the number itself and the loop returns from the middle. The number is data."""

import jax.numpy as jnp
from jax import lax


def smallest_factor(n):
    for d in range(2, n):
        if n % d == 0:
            return d
    return n


def smallest_factor_fixed(n):
    return lax.while_loop(lambda d: (d < n) & (n % d != 0), lambda d: d + 1, jnp.minimum(2, n))


FUNCTION = "smallest_factor"
CALLS = [((jnp.int32(n),), {}) for n in (15, 7, 2, 4, 1)]
KIND = "rewrite"
FIXED = "smallest_factor_fixed"
SITES = ["for d in range(2, n):", "if n % d == 0:"]
CATEGORY = "return in a loop"
