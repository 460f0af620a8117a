"""An int is given where jax.random wants a key: a TypeError, with jit and without, static or not."""

import jax
import jax.numpy as jnp


def perturb(x, seed, scale):
    noise = jax.random.normal(seed, x.shape)
    return x + scale * noise


FUNCTION = "perturb"
CALLS = [((jnp.ones(3), 0, 0.1), {}), ((jnp.ones(2), 1, 0.1), {})]
KIND = "not_staticness"
SITES = ["noise = jax.random.normal(seed, x.shape)"]
CATEGORY = "random key"
