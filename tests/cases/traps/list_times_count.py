"""`[0.0] * n` with a traced n: a plain TypeError about a sequence and a non-int, no word of tracing."""

import jax.numpy as jnp


def lag_window(n_lags, decay, newest):
    weights = [0.0] * n_lags
    weights[0] = newest
    for k in range(1, len(weights)):
        weights[k] = weights[k - 1] * decay
    return jnp.stack([jnp.asarray(w, jnp.float32) for w in weights])


FUNCTION = "lag_window"
CALLS = [((3, 0.5, 1.0), {}), ((5, jnp.array(0.9), 2.0), {}), ((1, 0.1), {"newest": jnp.array(7.0)})]
KIND = "static"
STATIC = [("n_lags",)]
SITES = ["weights = [0.0] * n_lags"]
CATEGORY = "list of zeros"
