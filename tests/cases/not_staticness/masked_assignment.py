"""x[mask] = value: jax arrays are immutable with jit and without, so the plain call fails in the same line. `.at[mask].set` or where is a
mechanical cure (ALSO rewrite)."""

import jax.numpy as jnp


def despeckle(image, threshold, value):
    out = image * 1.0
    out[image > threshold] = value
    return out


def despeckle_fixed(image, threshold, value):
    return jnp.where(image > threshold, value, image * 1.0)


FUNCTION = "despeckle"
CALLS = [((jnp.array([0.1, 5.0, 2.0]), 1.0, 0), {}), ((jnp.array([0.1, 5.0]), 9.0, 1), {})]
KIND = "not_staticness"
ALSO = ("rewrite",)
FIXED = "despeckle_fixed"
SITES = ["out[image > threshold] = value"]
CATEGORY = "in-place assignment"
