"""A Metropolis sweep over a small lattice with nested Python loops (shapes) and an update under an if (data)."""

import jax
import jax.numpy as jnp


def sweep(key, spins, beta):
    rows, cols = spins.shape
    flips = 0
    draws = jax.random.uniform(key, spins.shape)
    for i in range(rows):
        for j in range(cols):
            around = spins[(i + 1) % rows, j] + spins[i - 1, j] + spins[i, (j + 1) % cols] + spins[i, j - 1]
            cost = 2.0 * spins[i, j] * around
            if cost <= 0 or draws[i, j] < jnp.exp(-beta * cost):
                spins = spins.at[i, j].set(-spins[i, j])
                flips += 1
    return spins, flips


def sweep_fixed(key, spins, beta):
    rows, cols = spins.shape
    flips = 0
    draws = jax.random.uniform(key, spins.shape)
    for i in range(rows):
        for j in range(cols):
            around = spins[(i + 1) % rows, j] + spins[i - 1, j] + spins[i, (j + 1) % cols] + spins[i, j - 1]
            cost = 2.0 * spins[i, j] * around
            flip = (cost <= 0) | (draws[i, j] < jnp.exp(-beta * cost))
            spins = spins.at[i, j].set(jnp.where(flip, -spins[i, j], spins[i, j]))
            flips = flips + flip
    return spins, flips


up = jnp.ones((2, 3))

FUNCTION = "sweep"
CALLS = [
    ((jax.random.key(0), up.at[0, 1].set(-1.0), 0.4), {}),
    ((jax.random.key(1), up, jnp.array(5.0)), {}),
    ((jax.random.key(2), -up, jnp.array(0.0)), {}),
]
KIND = "rewrite"
FIXED = "sweep_fixed"
SITES = ["if cost <= 0 or draws[i, j] < jnp.exp(-beta * cost):"]
CATEGORY = "real_world"
