"""A NumPy buffer is filled in a loop over the shape: `out[i] = tracer` is a ValueError about a sequence. A list and jnp.stack do."""

import jax.numpy as jnp
import numpy as np


def tridiagonal_solve(lower, diag, upper, rhs):
    """Thomas algorithm."""
    n = rhs.shape[0]
    c, d = np.zeros(n), np.zeros(n)
    c[0], d[0] = upper[0] / diag[0], rhs[0] / diag[0]
    for i in range(1, n):
        m = diag[i] - lower[i - 1] * c[i - 1]
        c[i] = upper[i] / m if i < n - 1 else 0.0
        d[i] = (rhs[i] - lower[i - 1] * d[i - 1]) / m
    for i in range(n - 2, -1, -1):
        d[i] -= c[i] * d[i + 1]
    return jnp.asarray(d)


def tridiagonal_solve_fixed(lower, diag, upper, rhs):
    n = rhs.shape[0]
    c, d = [upper[0] / diag[0]], [rhs[0] / diag[0]]
    for i in range(1, n):
        m = diag[i] - lower[i - 1] * c[i - 1]
        c.append(upper[i] / m if i < n - 1 else 0.0)
        d.append((rhs[i] - lower[i - 1] * d[i - 1]) / m)
    for i in range(n - 2, -1, -1):
        d[i] -= c[i] * d[i + 1]
    return jnp.stack(d)


FUNCTION = "tridiagonal_solve"
CALLS = [
    ((jnp.ones(3), jnp.full(4, 4.0), jnp.ones(3), jnp.arange(4.0)), {}),
    ((-jnp.ones(2), jnp.full(3, 2.5), -jnp.ones(2), jnp.array([1.0, 0.0, 1.0])), {}),
]
KIND = "rewrite"
FIXED = "tridiagonal_solve_fixed"
SITES = ["c[0], d[0] = upper[0] / diag[0], rhs[0] / diag[0]"]
CATEGORY = "in-place numpy"
