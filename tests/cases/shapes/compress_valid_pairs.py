"""jnp.compress and jnp.argwhere: lengths that depend on the data. The answer is a sum over the valid pairs, so a mask does."""

import jax.numpy as jnp


def pairwise_energy(charges, distance, cutoff):
    near = (distance < cutoff) & (distance > 0)
    pairs = jnp.argwhere(near)
    q = charges[pairs[:, 0]] * charges[pairs[:, 1]]
    return 0.5 * jnp.sum(q / jnp.compress(near.ravel(), distance.ravel()))


def pairwise_energy_fixed(charges, distance, cutoff):
    near = (distance < cutoff) & (distance > 0)
    q = charges[:, None] * charges[None, :]
    return 0.5 * jnp.sum(jnp.where(near, q / jnp.where(near, distance, 1.0), 0.0))


pos = jnp.array([0.0, 1.0, 2.5, 7.0])
D = jnp.abs(pos[:, None] - pos[None, :])

FUNCTION = "pairwise_energy"
CALLS = [
    ((jnp.array([1.0, -1.0, 2.0, 1.0]), D, 2.0), {}),
    ((jnp.array([1.0, -1.0, 2.0, 1.0]), D, jnp.array(100.0)), {}),
    ((jnp.ones(3), D[:3, :3]), {"cutoff": jnp.array(0.5)}),
]
KIND = "rewrite"
FIXED = "pairwise_energy_fixed"
SITES = ["pairs = jnp.argwhere(near)", "return 0.5 * jnp.sum(q / jnp.compress(near.ravel(), distance.ravel()))"]
CATEGORY = "nonzero"
