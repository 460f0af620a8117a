"""The site is two helpers down, where the value has another name; it is the outer `order` that must be static."""

import jax.numpy as jnp


def falling(x, k):
    out = jnp.ones_like(x)
    for j in range(k):
        out = out * (x - j)
    return out


def factorial_moment(x, weights, degree):
    return jnp.sum(weights * falling(x, degree)) / jnp.sum(weights)


def moments(x, weights, order, scale):
    return scale * factorial_moment(x, weights, order), scale * factorial_moment(x, weights, order - 1)


xs = jnp.array([3.0, 5.0, 6.0])

FUNCTION = "moments"
CALLS = [((xs, jnp.ones(3), 3, 1.0), {}), ((xs, jnp.ones(3), 1, 7), {}), ((xs, xs), {"order": 2, "scale": jnp.array(0.5)})]
KIND = "static"
STATIC = [("order",)]
ALSO = ("rewrite",)  # the body is the same each round, so a fori_loop in the helper is right as well
SITES = ["for j in range(k):"]
CATEGORY = "helper"
