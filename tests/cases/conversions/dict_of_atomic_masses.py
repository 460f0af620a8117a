"""A dict keyed by atomic number: a tracer cannot be hashed (TypeError). The number is data of a molecule: a table array."""

import jax.numpy as jnp

MASS = {1: 1.008, 6: 12.011, 7: 14.007, 8: 15.999}


def kinetic_energy(number, velocity):
    return 0.5 * MASS[number] * jnp.sum(velocity**2)


def kinetic_energy_fixed(number, velocity):
    table = jnp.zeros(9).at[jnp.array(list(MASS))].set(jnp.array(list(MASS.values())))
    return 0.5 * table[number] * jnp.sum(velocity**2)


v = jnp.array([1.0, -2.0, 0.5])

FUNCTION = "kinetic_energy"
CALLS = [((n, v), {}) for n in (6, 1, 8, 7)]
KIND = "rewrite"
ALSO = ("static",)  # each number could be static, at a compile per element; an array cannot be a dict's key in plain Python
FIXED = "kinetic_energy_fixed"
SITES = ["return 0.5 * MASS[number] * jnp.sum(velocity**2)"]
CATEGORY = "dict lookup"
