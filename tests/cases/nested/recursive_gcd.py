"""Recursion on data: gcd(b, a % b) until b is zero. A tracer never ends it; lax.while_loop does."""

import jax.numpy as jnp
from jax import lax


def gcd(a, b):
    if b == 0:
        return a
    return gcd(b, a % b)


def gcd_fixed(a, b):
    return lax.while_loop(lambda s: s[1] != 0, lambda s: (s[1], s[0] % s[1]), (a, b))[0]


FUNCTION = "gcd"
CALLS = [((jnp.int32(a), jnp.int32(b)), {}) for a, b in ((54, 24), (5, 0), (17, 4), (0, 6))]
KIND = "rewrite"
FIXED = "gcd_fixed"
SITES = ["if b == 0:"]
CATEGORY = "recursion"
