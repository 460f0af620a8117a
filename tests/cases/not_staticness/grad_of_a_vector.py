"""jax.grad of a function that returns a vector: a TypeError about scalar outputs; `power` looks like an int option and is none."""

import jax
import jax.numpy as jnp


def energy_density(field, power):
    return 0.5 * field**power + 0.25 * field**4


def force(field, power):
    return -jax.grad(energy_density)(field, power)


FUNCTION = "force"
CALLS = [((jnp.array([1.0, 2.0]), 2), {}), ((jnp.array([1.0, 2.0, 3.0]), 3), {})]
KIND = "not_staticness"
SITES = ["return -jax.grad(energy_density)(field, power)"]
CATEGORY = "grad"
