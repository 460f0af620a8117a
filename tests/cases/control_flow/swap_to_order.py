"""`if a > b: a, b = b, a`: a tuple assignment without else, twice, whose second test reads what the first changed."""

import jax.numpy as jnp


def order_three(a, b, c):
    if a > b:
        a, b = b, a
    if b > c:
        b, c = c, b
    if a > b:
        a, b = b, a
    return a, b, c, c - a


def order_three_fixed(a, b, c):
    a, b = jnp.minimum(a, b), jnp.maximum(a, b)
    b, c = jnp.minimum(b, c), jnp.maximum(b, c)
    a, b = jnp.minimum(a, b), jnp.maximum(a, b)
    return a, b, c, c - a


FUNCTION = "order_three"
CALLS = [((jnp.float32(a), jnp.float32(b), jnp.float32(c)), {}) for a, b, c in ((3, 2, 1), (1, 2, 3), (2, 3, 1), (1, 1, 0))]
KIND = "rewrite"
FIXED = "order_three_fixed"
SITES = ["if a > b:", "if b > c:"]
CATEGORY = "if without else"
