"""A recurrent encoder that collects its states in a list until the padding begins, and averages them."""

import jax.numpy as jnp


def encode(tokens, embedding, weights, pad=0):
    h = jnp.zeros(weights.shape[0])
    states = []
    for token in tokens:
        if token == pad:
            break
        h = jnp.tanh(embedding[token] + weights @ h)
        states.append(h)
    return jnp.stack(states).mean(0)


def encode_fixed(tokens, embedding, weights, pad=0):
    h = jnp.zeros(weights.shape[0])
    total, count, going = h, 0, jnp.array(True)
    for token in tokens:
        going = going & (token != pad)
        h = jnp.where(going, jnp.tanh(embedding[token] + weights @ h), h)
        total = total + jnp.where(going, h, 0.0)
        count = count + going
    return total / count


E = jnp.arange(12.0).reshape(4, 3) / 10

FUNCTION = "encode"
CALLS = [
    ((jnp.array([1, 2, 3, 0, 0]), E, jnp.eye(3) * 0.3), {}),
    ((jnp.array([1, 2]), E, jnp.eye(3) * 0.3), {}),
    ((jnp.array([3, 1, 0]), E, jnp.eye(3) * 0.3, 1), {}),
]
KIND = "rewrite"
FIXED = "encode_fixed"
SITES = ["if token == pad:"]
CATEGORY = "real_world"
