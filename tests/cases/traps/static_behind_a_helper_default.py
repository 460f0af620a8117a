"""The helper's size has a default, which is why the first helper call is no site; the second passes the outer argument."""

import jax.numpy as jnp


def basis(t, n=3):
    return jnp.stack([jnp.cos(k * t) for k in range(n)], axis=-1)


def seasonal(t, coef, trend_coef, n_terms):
    trend = basis(0.01 * t) @ trend_coef
    return trend + basis(t, n_terms) @ coef[:n_terms]


t, k = jnp.arange(4.0), jnp.array([1.0, 0.5, 0.2, 0.1])

FUNCTION = "seasonal"
CALLS = [((t, k, k[:3], 2), {}), ((t, k, k[1:], 4), {}), ((t[:2], k, k[:3]), {"n_terms": 1})]
KIND = "static"
STATIC = [("n_terms",)]
SITES = ["return jnp.stack([jnp.cos(k * t) for k in range(n)], axis=-1)", "return trend + basis(t, n_terms) @ coef[:n_terms]"]
CATEGORY = "helper"
