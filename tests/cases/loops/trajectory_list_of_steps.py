"""The loop appends one state per step and stacks them: the number of steps is the length of the result, so it is static and no
fori_loop could take it traced."""

import jax.numpy as jnp


def leapfrog(q, p, dt, n_steps):
    """Harmonic oscillator; returns the whole trajectory and its energies."""
    path, energy = [], []
    for _ in range(n_steps):
        p = p - 0.5 * dt * q
        q = q + dt * p
        p = p - 0.5 * dt * q
        path.append(q)
        energy.append(0.5 * (p @ p + q @ q))
    return jnp.stack(path), jnp.array(energy)


q0, p0 = jnp.array([1.0, 0.0]), jnp.array([0.0, 0.5])

FUNCTION = "leapfrog"
CALLS = [((q0, p0, 0.1, 5), {}), ((q0, p0, jnp.array(0.2), 5), {}), ((p0, q0), {"dt": 0.1, "n_steps": 2})]
KIND = "static"
STATIC = [("n_steps",)]
SITES = ["for _ in range(n_steps):"]
CATEGORY = "append"
