"""jnp.vander's N and matrix_power's n, both static inside JAX."""

import jax.numpy as jnp


def companion_response(x, coeffs, n_cols, power):
    V = jnp.vander(x, n_cols)
    A = jnp.eye(2) * 0.5 + jnp.array([[0.0, 0.2], [0.1, 0.0]])
    return V @ coeffs[:n_cols], jnp.linalg.matrix_power(A, power)


x = jnp.array([0.5, -1.0, 2.0])
k = jnp.array([1.0, 2.0, -0.5, 0.1])

FUNCTION = "companion_response"
CALLS = [((x, k, 3, 2), {}), ((x, k, 4, 5), {}), ((x[:2], k), {"n_cols": 1, "power": 0})]
KIND = "static"
STATIC = [("n_cols", "power")]
SITES = [
    "V = jnp.vander(x, n_cols)",
    "return V @ coeffs[:n_cols], jnp.linalg.matrix_power(A, power)",
]
CATEGORY = "static in jax"
