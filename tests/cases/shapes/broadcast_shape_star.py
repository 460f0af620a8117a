"""A shape assembled with * from an argument: batch dimensions travel as a tuple, which is static as a whole."""

import jax
import jax.numpy as jnp


def sample_prior(key, scale, batch_shape):
    noise = jax.random.normal(key, (*batch_shape, scale.shape[0]))
    return jnp.broadcast_to(scale, noise.shape) * noise


s = jnp.array([1.0, 0.1, 10.0])

FUNCTION = "sample_prior"
CALLS = [
    ((jax.random.key(3), s, (2, 2)), {}),
    ((jax.random.key(4), s), {"batch_shape": ()}),
    ((jax.random.key(3), s[:2], (5,)), {}),
]
KIND = "static"
STATIC = [("batch_shape",)]
SITES = ["noise = jax.random.normal(key, (*batch_shape, scale.shape[0]))"]
CATEGORY = "shape"
