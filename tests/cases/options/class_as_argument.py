"""A class is handed over and called with traced numbers: a type is no array and hashable, so it is static."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Normal(NamedTuple):
    loc: jax.Array
    scale: jax.Array

    def log_prob(self, x):
        return -0.5 * ((x - self.loc) / self.scale) ** 2 - jnp.log(self.scale)


class Laplace(NamedTuple):
    loc: jax.Array
    scale: jax.Array

    def log_prob(self, x):
        return -jnp.abs(x - self.loc) / self.scale - jnp.log(2 * self.scale)


def mean_log_likelihood(x, family, loc, scale):
    return family(loc, scale).log_prob(x).mean()


x = jnp.array([0.5, -1.0, 2.0])

FUNCTION = "mean_log_likelihood"
CALLS = [
    ((x, Normal, 0.0, 1.0), {}),
    ((x, Laplace, jnp.array(0.5), 2.0), {}),
    ((x,), {"family": Normal, "loc": 1, "scale": jnp.array(0.1)}),
]
KIND = "static"
STATIC = [("family",)]
SITES = ["return family(loc, scale).log_prob(x).mean()"]
CATEGORY = "class"
