"""A PID controller that stops integrating while its output is saturated: an if/elif/else in which each branch assigns other names."""

import jax.numpy as jnp


def pid(state, error, dt, gains, limit):
    integral, previous = state
    kp, ki, kd = gains
    u = kp * error + ki * integral + kd * (error - previous) / dt
    if u > limit:
        u = limit
    elif u < -limit:
        u = -limit
    else:
        integral = integral + error * dt
    return u, (integral, error)


def pid_fixed(state, error, dt, gains, limit):
    integral, previous = state
    kp, ki, kd = gains
    u = kp * error + ki * integral + kd * (error - previous) / dt
    inside = (u <= limit) & (u >= -limit)
    return jnp.clip(u, -limit, limit), (jnp.where(inside, integral + error * dt, integral), error)


g = (2.0, 0.5, 0.1)

FUNCTION = "pid"
CALLS = [
    (((jnp.array(0.1), jnp.array(0.0)), jnp.array(0.4), 0.1, g, 2.0), {}),
    (((jnp.array(0.1), jnp.array(0.0)), jnp.array(9.0), 0.1, g, 2.0), {}),
    (((jnp.array(0.1), jnp.array(5.0)), jnp.array(-4.0), 0.1, g, jnp.array(1.0)), {}),
]
KIND = "rewrite"
FIXED = "pid_fixed"
SITES = ["if u > limit:", "elif u < -limit:"]
CATEGORY = "real_world"
