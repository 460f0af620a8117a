"""Greedy decoding stops at the end token: the stop is data, the buffer's length a size; its number is used after the loop."""

import jax
import jax.numpy as jnp


def greedy_decode(scores, end, max_len):
    out = jnp.full(max_len, end)
    token, n = 0, 0
    while n < max_len and token != end:
        token = jnp.argmax(scores[token])
        out = out.at[n].set(token)
        n += 1
    return out, n


def greedy_decode_fixed(scores, end, max_len):
    def body(s):
        out, token, n = s
        token = jnp.argmax(scores[token])
        return out.at[n].set(token), token, n + 1

    start = (jnp.full(max_len, end), 0, 0)
    out, _, n = jax.lax.while_loop(lambda s: (s[2] < max_len) & (s[1] != end), body, start)
    return out, n


chain = jnp.array([[0.0, 1.0, 0.5, 0.0], [0.0, 0.0, 3.0, 0.0], [0.0, 0.0, 0.1, 0.2], [1.0, 0.0, 0.0, 0.0]])

FUNCTION = "greedy_decode"
CALLS = [((chain, 3, 5), {}), ((chain, 1, 5), {}), ((chain, 9, 6), {}), ((chain, 0, 2), {})]
KIND = "static+rewrite"
FIXED = "greedy_decode_fixed"
FIXED_STATIC = ("max_len",)
SITES = ["out = jnp.full(max_len, end)", "while n < max_len and token != end:"]
CATEGORY = "real_world"
