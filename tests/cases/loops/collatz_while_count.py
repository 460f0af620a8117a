"""Collatz: the loop counts its own rounds, the count is the result, and a ternary in the body reads the number as well."""

import jax.numpy as jnp
from jax import lax


def collatz(n):
    steps = 0
    top = n
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        top = jnp.maximum(top, n)
        steps += 1
    return steps, top


def collatz_fixed(n):
    def body(state):
        n, top, steps = state
        n = jnp.where(n % 2 == 0, n // 2, 3 * n + 1)
        return n, jnp.maximum(top, n), steps + 1

    n = jnp.asarray(n)
    _, top, steps = lax.while_loop(lambda s: s[0] != 1, body, (n, n, 0))
    return steps, top


FUNCTION = "collatz"
CALLS = [((jnp.int32(6),), {}), ((jnp.int32(27),), {}), ((jnp.int32(1),), {}), ((jnp.int32(8),), {})]
KIND = "rewrite"
FIXED = "collatz_fixed"
SITES = ["while n != 1:", "n = n // 2 if n % 2 == 0 else 3 * n + 1"]
CATEGORY = "while"
