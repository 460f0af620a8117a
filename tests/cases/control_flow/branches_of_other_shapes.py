"""The two branches return other shapes, so no `where` or `cond` could do it, though `where` would broadcast without a word. The flag
is an option: static."""

import jax.numpy as jnp


def squared_error(pred, target, reduce, weight):
    err = weight * (pred - target) ** 2
    if reduce:
        return err.mean()
    return err


p, t = jnp.array([1.0, 2.0]), jnp.array([0.5, 2.5])

FUNCTION = "squared_error"
CALLS = [((p, t, True, 1.0), {}), ((p, t, False, jnp.array(2.0)), {}), ((p[:1], t[:1]), {"reduce": True, "weight": 1})]
KIND = "static"
STATIC = [("reduce",)]
SITES = ["if reduce:"]
CATEGORY = "shapes of branches"
