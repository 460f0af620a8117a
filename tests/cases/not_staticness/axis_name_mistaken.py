"""The collective names an axis that no vmap around it has."""

import jax
import jax.numpy as jnp
from jax import lax


def share_of_total(x):
    return jax.vmap(lambda v: v / lax.psum(v, "batch"), axis_name="data")(x)


FUNCTION = "share_of_total"
CALLS = [((jnp.ones(2),), {})]
KIND = "not_staticness"
SITES = ['return jax.vmap(lambda v: v / lax.psum(v, "batch"), axis_name="data")(x)']
CATEGORY = "axis name"
