"""A return out of the middle of a doubly nested loop: both ranges are shapes, which pair is returned is data."""

import jax.numpy as jnp


def first_collision(positions, radius):
    """Indices of the first pair of particles closer than the radius; (-1, -1) if there is none."""
    n = positions.shape[0]
    for i in range(n):
        for j in range(i + 1, n):
            if jnp.sum((positions[i] - positions[j]) ** 2) < radius**2:
                return i, j
    return -1, -1


def first_collision_fixed(positions, radius):
    n = positions.shape[0]
    d2 = jnp.sum((positions[:, None] - positions[None]) ** 2, axis=-1)
    hit = jnp.triu(d2 < radius**2, 1).ravel()
    k = jnp.argmax(hit)
    return jnp.where(hit.any(), k // n, -1), jnp.where(hit.any(), k % n, -1)


pos = jnp.array([[0.0, 0.0], [3.0, 0.0], [3.1, 0.1], [9.0, 9.0]])

FUNCTION = "first_collision"
CALLS = [((pos, 0.5), {}), ((pos, jnp.array(0.01)), {}), ((pos[::-1], jnp.array(4.0)), {}), ((pos[:2], 5.0), {})]
KIND = "rewrite"
FIXED = "first_collision_fixed"
SITES = ["if jnp.sum((positions[i] - positions[j]) ** 2) < radius**2:"]
CATEGORY = "return in a loop"
