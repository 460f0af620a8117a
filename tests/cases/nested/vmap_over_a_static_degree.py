"""vmap with in_axes=None for the degree: inside vmap the number is still the outer argument, and the outer argument is static."""

import jax
import jax.numpy as jnp


def legendre(x, degree):
    p0, p1 = jnp.ones_like(x), x
    if degree == 0:
        return p0
    for k in range(1, degree):
        p0, p1 = p1, ((2 * k + 1) * x * p1 - k * p0) / (k + 1)
    return p1


def projections(xs, weights, degree):
    values = jax.vmap(lambda x, w: w * legendre(x, degree))(xs, weights)
    return values.sum(axis=0)


xs = jnp.linspace(-1.0, 1.0, 6).reshape(3, 2)

FUNCTION = "projections"
CALLS = [((xs, jnp.ones(3), 3), {}), ((xs, jnp.arange(3.0), 0), {}), ((xs[:1], jnp.ones(1)), {"degree": 1})]
KIND = "static"
STATIC = [("degree",)]
SITES = ["if degree == 0:", "for k in range(1, degree):"]
CATEGORY = "vmap body"
