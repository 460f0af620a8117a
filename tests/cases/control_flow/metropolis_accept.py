"""One Metropolis step: the acceptance test reads a random number and the log density. The branch returns a tuple whose last
entry is a Python bool."""

import jax
import jax.numpy as jnp


def log_density(x):
    return -0.5 * jnp.sum(x**2) + jnp.sum(jnp.cos(x))


def metropolis_step(key, x, step_size):
    key_move, key_accept = jax.random.split(key)
    proposal = x + step_size * jax.random.normal(key_move, x.shape)
    log_ratio = log_density(proposal) - log_density(x)
    if jnp.log(jax.random.uniform(key_accept)) < log_ratio:
        return proposal, True
    return x, False


def metropolis_step_fixed(key, x, step_size):
    key_move, key_accept = jax.random.split(key)
    proposal = x + step_size * jax.random.normal(key_move, x.shape)
    log_ratio = log_density(proposal) - log_density(x)
    accepted = jnp.log(jax.random.uniform(key_accept)) < log_ratio
    return jnp.where(accepted, proposal, x), accepted


FUNCTION = "metropolis_step"
CALLS = [
    ((jax.random.key(0), jnp.array([0.1, -0.4]), 0.1), {}),
    ((jax.random.key(1), jnp.array([0.0, 0.0]), 9.0), {}),
    ((jax.random.key(2), jnp.array([3.0]), jnp.array(0.5)), {}),
    ((jax.random.key(5), jnp.zeros((2, 2)), jnp.array(30.0)), {}),
]
KIND = "rewrite"
FIXED = "metropolis_step_fixed"
SITES = ["if jnp.log(jax.random.uniform(key_accept)) < log_ratio:"]
CATEGORY = "early return"
