"""bool() and a NumPy predicate around a comparison of arrays, only to report them: the result may stay an array."""

import jax.numpy as jnp
import numpy as np


def describe_matrix(A, tol):
    symmetric = bool(jnp.all(jnp.abs(A - A.T) < tol))
    finite = np.isfinite(A).all()
    return symmetric, finite, jnp.trace(A)


def describe_matrix_fixed(A, tol):
    return jnp.all(jnp.abs(A - A.T) < tol), jnp.isfinite(A).all(), jnp.trace(A)


FUNCTION = "describe_matrix"
CALLS = [
    ((jnp.eye(3), 1e-5), {}),
    ((jnp.arange(4.0).reshape(2, 2), jnp.array(1e-5)), {}),
    ((jnp.array([[jnp.inf, 1.0], [1.0, 0.0]]),), {"tol": 1.0}),
]
KIND = "rewrite"
FIXED = "describe_matrix_fixed"
SITES = ["symmetric = bool(jnp.all(jnp.abs(A - A.T) < tol))", "finite = np.isfinite(A).all()"]
CATEGORY = "bool()"
