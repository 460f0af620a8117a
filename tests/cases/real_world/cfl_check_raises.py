"""A PDE step that refuses an unstable time step with a ValueError. The check reads data; it must leave the compiled function (or
become a checkify check, or mark the result)."""

import jax.numpy as jnp


def wave_step(u, u_prev, speed, dt, dx):
    courant = speed * dt / dx
    if jnp.max(courant) > 1.0:
        raise ValueError("unstable: reduce dt")
    lap = jnp.roll(u, 1) - 2 * u + jnp.roll(u, -1)
    return 2 * u - u_prev + courant**2 * lap


def wave_step_fixed(u, u_prev, speed, dt, dx):
    courant = speed * dt / dx
    lap = jnp.roll(u, 1) - 2 * u + jnp.roll(u, -1)
    return jnp.where(jnp.max(courant) > 1.0, jnp.nan, 2 * u - u_prev + courant**2 * lap)


u = jnp.sin(jnp.arange(6.0))

FUNCTION = "wave_step"
CALLS = [
    ((u, u, jnp.ones(6), 0.1, 0.2), {}),
    ((u, 0.9 * u, jnp.linspace(0.1, 1.0, 6), jnp.array(0.2), 0.2), {}),
]
KIND = "rewrite"
FIXED = "wave_step_fixed"
SITES = ["if jnp.max(courant) > 1.0:"]
CATEGORY = "real_world"
