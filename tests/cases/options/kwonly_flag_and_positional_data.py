"""A keyword-only bool decides the program, a keyword-only float is data; positional-only x in front."""

import jax.numpy as jnp


def scale_rows(x, /, *, robust, eps=1e-6):
    if robust:
        centre = jnp.median(x, axis=1, keepdims=True)
        spread = jnp.median(jnp.abs(x - centre), axis=1, keepdims=True)
    else:
        centre, spread = x.mean(axis=1, keepdims=True), x.std(axis=1, keepdims=True)
    return (x - centre) / (spread + eps)


X = jnp.array([[1.0, 2.0, 9.0], [0.0, 0.5, 0.6]])

FUNCTION = "scale_rows"
CALLS = [((X,), {"robust": True}), ((X,), {"robust": False, "eps": 1.0}), ((X[:1],), {"robust": True, "eps": jnp.array(0.1)})]
KIND = "static"
STATIC = [("robust",)]
SITES = ["if robust:"]
CATEGORY = "keyword-only"
