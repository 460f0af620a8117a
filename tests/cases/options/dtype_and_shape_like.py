"""dtype as a class and a flag for a bias column; the fill value is data."""

import jax.numpy as jnp


def design_matrix(columns, dtype, intercept, fill):
    X = jnp.stack(columns, axis=1)
    X = jnp.where(jnp.isnan(X), fill, X)
    if intercept:
        X = jnp.concatenate([jnp.ones((X.shape[0], 1), X.dtype), X], axis=1)
    return X.astype(dtype)


a, b = jnp.array([1.0, jnp.nan]), jnp.array([2.0, 4.0])

FUNCTION = "design_matrix"
CALLS = [
    (((a, b), jnp.float16, True, 0.0), {}),
    (((a, b), jnp.float32, False, jnp.array(9.0)), {}),
    (((b,),), {"dtype": jnp.int32, "intercept": True, "fill": 0}),
]
KIND = "static"
STATIC = [("dtype", "intercept")]
SITES = ["if intercept:", "return X.astype(dtype)"]
CATEGORY = "dtype"
