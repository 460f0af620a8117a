"""zeros_like(x, shape=n), eye(n) and x[..., None] * ones: sizes under keyword names."""

import jax.numpy as jnp


def lift(x, n_out, ridge):
    base = jnp.zeros_like(x, shape=(n_out, x.shape[0]))
    cov = ridge * jnp.eye(n_out)
    return (base + x) @ x, cov + jnp.outer(jnp.ones(n_out), jnp.ones(n_out))


x = jnp.array([1.0, 2.0, -1.0])

FUNCTION = "lift"
CALLS = [((x, 2, 0.1), {}), ((x, 3, jnp.array(1.0)), {}), ((x[:1],), {"n_out": 1, "ridge": 0})]
KIND = "static"
STATIC = [("n_out",)]
SITES = ["base = jnp.zeros_like(x, shape=(n_out, x.shape[0]))", "cov = ridge * jnp.eye(n_out)"]
CATEGORY = "shape"
