"""Matrix power by squaring: the bits of an exponent that comes with the data steer a while and an if."""

import jax.numpy as jnp
from jax import lax


def markov_after(P, n):
    """n-step transition matrix."""
    result = jnp.eye(P.shape[0])
    while n > 0:
        if n & 1:
            result = result @ P
        P = P @ P
        n = n >> 1
    return result


def markov_after_fixed(P, n):
    def body(state):
        result, P, n = state
        return jnp.where(n & 1 == 1, result @ P, result), P @ P, n >> 1

    return lax.while_loop(lambda s: s[2] > 0, body, (jnp.eye(P.shape[0]), P, jnp.asarray(n)))[0]


P2 = jnp.array([[0.9, 0.1], [0.4, 0.6]])

FUNCTION = "markov_after"
CALLS = [((P2, jnp.int32(5)), {}), ((P2, jnp.int32(0)), {}), ((P2, jnp.int32(8)), {}), ((jnp.eye(3), jnp.int32(1)), {})]
KIND = "rewrite"
FIXED = "markov_after_fixed"
SITES = ["while n > 0:", "if n & 1:"]
CATEGORY = "while"
