"""Greatest common divisor: `while b:` asks a number for its truth, and the body swaps two names in one tuple assignment."""

import jax.numpy as jnp
from jax import lax


def reduce_fraction(a, b):
    num, den = a, b
    while b:
        a, b = b, a % b
    return num // a, den // a


def reduce_fraction_fixed(a, b):
    g, _ = lax.while_loop(lambda s: s[1] != 0, lambda s: (s[1], s[0] % s[1]), (a, b))
    return a // g, b // g


FUNCTION = "reduce_fraction"
CALLS = [((jnp.int32(a), jnp.int32(b)), {}) for a, b in ((84, 36), (7, 13), (5, 5), (0, 9), (12, 0))]
KIND = "rewrite"
FIXED = "reduce_fraction_fixed"
SITES = ["while b:"]
CATEGORY = "while"
