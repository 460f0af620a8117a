"""functools.partial binds the threshold, so it is a plain number; the comparison with the data still needs a rewrite."""

from functools import partial

import jax.numpy as jnp


def clip_loss(threshold, pred, target):
    err = jnp.mean((pred - target) ** 2)
    return threshold if err > threshold else err


clipped = partial(clip_loss, 2.0)


def clipped_fixed(pred, target):
    return jnp.minimum(jnp.mean((pred - target) ** 2), 2.0)


FUNCTION = "clipped"
CALLS = [
    ((jnp.array([1.0, 2.0]), jnp.array([0.5, 2.0])), {}),
    ((jnp.array([9.0, 2.0]), jnp.array([0.5, 2.0])), {}),
    ((jnp.zeros(3), jnp.zeros(3)), {}),
]
KIND = "rewrite"
FIXED = "clipped_fixed"
SITES = ["return threshold if err > threshold else err"]
CATEGORY = "partial"
