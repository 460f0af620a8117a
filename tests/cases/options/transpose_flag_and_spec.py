"""A flag picks an einsum string and a transposition: shapes differ, so the flag is static. `alpha` is data."""

import jax.numpy as jnp


def gemm(a, b, transpose_b, alpha, lower):
    spec = "ij,kj->ik" if transpose_b else "ij,jk->ik"
    out = alpha * jnp.einsum(spec, a, b)
    return jnp.tril(out) if lower else out


a, b = jnp.arange(6.0).reshape(2, 3), jnp.ones((2, 3))

FUNCTION = "gemm"
CALLS = [
    ((a, b, True, 1.0, False), {}),
    ((a, b.T, False, jnp.array(2.0), True), {}),
    ((a, a), {"transpose_b": True, "alpha": 1, "lower": True}),
]
KIND = "static"
STATIC = [("transpose_b", "lower")]
SITES = ['spec = "ij,kj->ik" if transpose_b else "ij,jk->ik"', "return jnp.tril(out) if lower else out"]
CATEGORY = "flags"
