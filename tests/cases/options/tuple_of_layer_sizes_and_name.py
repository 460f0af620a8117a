"""A tuple of widths and a name of the initialiser, both hashable, both static; the key is data."""

import jax
import jax.numpy as jnp

SCALES = {"he": 2.0, "lecun": 1.0}


def init_mlp(key, widths, scheme):
    params = []
    for m, n in zip(widths[:-1], widths[1:]):
        key, sub = jax.random.split(key)
        params.append({"w": jax.random.normal(sub, (m, n)) * (SCALES[scheme] / m) ** 0.5, "b": jnp.zeros(n)})
    return params


FUNCTION = "init_mlp"
CALLS = [
    ((jax.random.key(0), (3, 4, 1), "he"), {}),
    ((jax.random.key(1), (2, 2), "lecun"), {}),
    ((jax.random.key(0),), {"widths": (1, 5), "scheme": "he"}),
]
KIND = "static"
STATIC = [("widths", "scheme")]
SITES = ['params.append({"w": jax.random.normal(sub, (m, n)) * (SCALES[scheme] / m) ** 0.5, "b": jnp.zeros(n)})']
CATEGORY = "tuple option"
