"""The escape time of one point: a while with `and`, a complex state that starts as Python's 0j, and the count as the result."""

import jax.numpy as jnp
from jax import lax


def escape_time(c, limit):
    z = 0j
    n = 0
    while abs(z) <= 2.0 and n < limit:
        z = z * z + c
        n += 1
    return n, z


def escape_time_fixed(c, limit):
    z, n = lax.while_loop(
        lambda s: (jnp.abs(s[0]) <= 2.0) & (s[1] < limit),
        lambda s: (s[0] * s[0] + c, s[1] + 1),
        (jnp.zeros((), jnp.complex64), 0),
    )
    return n, z


FUNCTION = "escape_time"
CALLS = [
    ((jnp.complex64(0.4 + 0.4j), jnp.int32(30)), {}),
    ((jnp.complex64(-1.0), jnp.int32(12)), {}),
    ((jnp.complex64(3.0), jnp.int32(12)), {}),
    ((jnp.complex64(0.1j), jnp.int32(1)), {}),
]
KIND = "rewrite"
FIXED = "escape_time_fixed"
SITES = ["while abs(z) <= 2.0 and n < limit:"]
CATEGORY = "while"
