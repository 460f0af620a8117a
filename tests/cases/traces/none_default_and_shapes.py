"""Optional arguments compared with `is None`, ndim tests and a loop over a tuple of arrays: structure, known while tracing."""

import jax.numpy as jnp


def weighted_sum(*terms, weights=None, offset=None):
    if weights is None:
        weights = [1.0] * len(terms)
    total = 0.0
    for w, t in zip(weights, terms, strict=True):
        total = total + w * (t if t.ndim == 1 else t.sum(axis=-1))
    if offset is not None:
        total = total + offset
    return total if total.shape[0] > 1 else total[0]


a, b = jnp.arange(3.0), jnp.ones((3, 2))

FUNCTION = "weighted_sum"
CALLS = [((a, b), {}), ((a, b), {"weights": (0.5, 2)}), ((a[:1],), {"offset": 3.0}), ((b,), {"weights": [jnp.array(2.0)]})]
KIND = "traces"
CATEGORY = "structure"
