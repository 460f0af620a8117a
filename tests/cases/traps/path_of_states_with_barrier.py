"""A list of states (its length is the result's, static) whose update branches on the data (rewrite). Both are needed."""

import jax.numpy as jnp


def bouncing_ball(height, speed, n_steps, dt):
    path = []
    for _ in range(n_steps):
        speed = speed - 9.81 * dt
        height = height + speed * dt
        if height < 0:
            height, speed = -height, -0.8 * speed
        path.append(height)
    return jnp.stack(path), speed


def bouncing_ball_fixed(height, speed, n_steps, dt):
    path = []
    for _ in range(n_steps):
        speed = speed - 9.81 * dt
        height = height + speed * dt
        hit = height < 0
        height, speed = jnp.where(hit, -height, height), jnp.where(hit, -0.8 * speed, speed)
        path.append(height)
    return jnp.stack(path), speed


FUNCTION = "bouncing_ball"
CALLS = [
    ((jnp.array(0.3), jnp.array(0.0), 5, 0.1), {}),
    ((jnp.array(9.0), jnp.array(1.0), 5, 0.1), {}),
    ((jnp.array(0.1), jnp.array(-3.0)), {"n_steps": 3, "dt": jnp.array(0.05)}),
]
KIND = "static+rewrite"
STATIC = [("n_steps",)]
FIXED = "bouncing_ball_fixed"
FIXED_STATIC = ("n_steps",)
SITES = ["for _ in range(n_steps):", "if height < 0:"]
CATEGORY = "static and rewrite"
