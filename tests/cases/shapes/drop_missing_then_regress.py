"""x[~isnan(x)] before a statistic: the usual cleaning step. The lengths of the two filtered arrays must agree, a mask keeps them so."""

import jax.numpy as jnp


def slope(x, y):
    ok = ~(jnp.isnan(x) | jnp.isnan(y))
    x, y = x[ok], y[ok]
    dx = x - x.mean()
    return (dx * (y - y.mean())).sum() / (dx**2).sum()


def slope_fixed(x, y):
    ok = ~(jnp.isnan(x) | jnp.isnan(y))
    n = ok.sum()
    mean = lambda v: jnp.where(ok, v, 0.0).sum() / n
    dx = jnp.where(ok, x - mean(x), 0.0)
    dy = jnp.where(ok, y - mean(y), 0.0)
    return (dx * dy).sum() / (dx**2).sum()


x, nan = jnp.array([1.0, 2.0, 3.0, 5.0]), jnp.nan

FUNCTION = "slope"
CALLS = [
    ((x, jnp.array([1.0, nan, 2.0, 7.0])), {}),
    ((x, 2 * x), {}),
    ((x.at[0].set(nan), jnp.array([1.0, 0.0, nan, 1.0])), {}),
]
KIND = "rewrite"
FIXED = "slope_fixed"
SITES = ["x, y = x[ok], y[ok]"]
CATEGORY = "boolean mask"
