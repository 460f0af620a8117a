"""argsort's axis and stable are static inside JAX, and jnp.take_along_axis wants the axis as well; the cut-off only masks."""

import jax.numpy as jnp


def ranked(scores, axis, stable, cutoff):
    order = jnp.argsort(scores, axis=axis, stable=stable)
    best = jnp.take_along_axis(scores, order, axis=axis)
    return jnp.where(best > cutoff, order, -1)


S = jnp.array([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])

FUNCTION = "ranked"
CALLS = [((S, 1, True, 1.5), {}), ((S, 0, True, jnp.array(-1.0)), {}), ((S,), {"axis": -1, "stable": False, "cutoff": 0})]
KIND = "static"
STATIC = [("axis", "stable")]
SITES = ["order = jnp.argsort(scores, axis=axis, stable=stable)"]
CATEGORY = "static in jax"
