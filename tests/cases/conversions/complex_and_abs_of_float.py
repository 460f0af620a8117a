"""complex(re, im) and abs(float(x)): Python's constructors convert; lax.complex and abs of the array do the same."""

import jax.numpy as jnp
from jax import lax


def reflection(load_r, load_x, z0):
    z = complex(load_r, load_x)
    gamma = (z - z0) / (z + z0)
    return jnp.abs(gamma), abs(float(load_x)) / z0


def reflection_fixed(load_r, load_x, z0):
    z = lax.complex(load_r, load_x)
    gamma = (z - z0) / (z + z0)
    return jnp.abs(gamma), abs(load_x) / z0


FUNCTION = "reflection"
CALLS = [
    ((jnp.array(75.0), jnp.array(-10.0), 50.0), {}),
    ((jnp.array(50.0), jnp.array(0.0), 50.0), {}),
    ((jnp.array(1.0), jnp.array(300.0)), {"z0": jnp.array(75.0)}),
]
KIND = "rewrite"
FIXED = "reflection_fixed"
SITES = ["z = complex(load_r, load_x)", "return jnp.abs(gamma), abs(float(load_x)) / z0"]
CATEGORY = "complex()"
