"""itertools.combinations(range(d), k) of two arguments: Python's own iteration, static both."""

import itertools

import jax.numpy as jnp


def interaction_features(x, n_used, order):
    columns = [x[:, 0] * 0.0 + 1.0]
    for combo in itertools.combinations(range(n_used), order):
        term = 1.0
        for j in combo:
            term = term * x[:, j]
        columns.append(term)
    return jnp.stack(columns, axis=1)


X = jnp.arange(8.0).reshape(2, 4)

FUNCTION = "interaction_features"
CALLS = [((X, 3, 2), {}), ((X, 4, 3), {}), ((X[:1],), {"n_used": 2, "order": 1})]
KIND = "static"
STATIC = [("n_used", "order")]
SITES = ["for combo in itertools.combinations(range(n_used), order):"]
CATEGORY = "itertools"
