"""A particle filter resamples only when the effective sample size falls below a share of the particles: data decides."""

import jax
import jax.numpy as jnp


def maybe_resample(key, particles, weights, share=0.5):
    n = weights.shape[0]
    ess = 1.0 / jnp.sum(weights**2)
    if ess < share * n:
        idx = jax.random.choice(key, n, (n,), p=weights)
        particles = particles[idx]
        weights = jnp.full(n, 1.0 / n)
    return particles, weights, ess


def maybe_resample_fixed(key, particles, weights, share=0.5):
    n = weights.shape[0]
    ess = 1.0 / jnp.sum(weights**2)
    few = ess < share * n
    idx = jax.random.choice(key, n, (n,), p=weights)
    return jnp.where(few, particles[idx], particles), jnp.where(few, 1.0 / n, weights), ess


p = jnp.array([1.0, 2.0, 3.0, 4.0])

FUNCTION = "maybe_resample"
CALLS = [
    ((jax.random.key(0), p, jnp.array([0.9, 0.05, 0.03, 0.02])), {}),
    ((jax.random.key(0), p, jnp.full(4, 0.25)), {}),
    ((jax.random.key(1), p[:2], jnp.array([0.6, 0.4])), {"share": jnp.array(0.99)}),
]
KIND = "rewrite"
FIXED = "maybe_resample_fixed"
SITES = ["if ess < share * n:"]
CATEGORY = "real_world"
