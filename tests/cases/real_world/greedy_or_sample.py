"""Decoding with temperature 0 meaning greedy: the branch not taken divides by zero. The temperature is served per request."""

import jax
import jax.numpy as jnp


def next_token(key, logits, temperature):
    if temperature == 0:
        return jnp.argmax(logits)
    return jax.random.categorical(key, logits / temperature)


def next_token_fixed(key, logits, temperature):
    greedy = temperature == 0
    drawn = jax.random.categorical(key, logits / jnp.where(greedy, 1.0, temperature))
    return jnp.where(greedy, jnp.argmax(logits), drawn)


l = jnp.array([1.0, 2.5, 2.0, -1.0])

FUNCTION = "next_token"
CALLS = [
    ((jax.random.key(0), l, jnp.array(0.7)), {}),
    ((jax.random.key(0), l, jnp.array(0.0)), {}),
    ((jax.random.key(4), l, 5.0), {}),
    ((jax.random.key(4), l[:2]), {"temperature": 0.0}),
]
KIND = "rewrite"
FIXED = "next_token_fixed"
SITES = ["if temperature == 0:"]
CATEGORY = "real_world"
