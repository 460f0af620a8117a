"""A walrus in the condition: the norm is bound and tested at once, and used in the branch."""

import jax.numpy as jnp


def project_to_ball(v, centre, radius):
    """Nearest point of the ball, and whether v was outside."""
    if (dist := jnp.linalg.norm(v - centre)) > radius:
        v = centre + (v - centre) * (radius / dist)
    return v, dist


def project_to_ball_fixed(v, centre, radius):
    dist = jnp.linalg.norm(v - centre)
    outside = dist > radius
    shrink = jnp.where(outside, radius / jnp.where(outside, dist, 1.0), 1.0)
    return centre + (v - centre) * shrink, dist


origin = jnp.zeros(3)

FUNCTION = "project_to_ball"
CALLS = [
    ((jnp.array([1.0, 2.0, 2.0]), origin, 1.5), {}),
    ((jnp.array([0.1, 0.2, 0.2]), origin, 1.5), {}),
    ((origin, origin, jnp.array(0.0)), {}),
    ((jnp.array([4.0, 0.0]), jnp.array([1.0, 0.0])), {"radius": jnp.array(2.0)}),
]
KIND = "rewrite"
FIXED = "project_to_ball_fixed"
SITES = ["if (dist := jnp.linalg.norm(v - centre)) > radius:"]
CATEGORY = "walrus"
