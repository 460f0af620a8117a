"""functools.reduce over range(n): the range is the site, hidden in a functional style; layers are picked out of a list by number."""

from functools import reduce

import jax.numpy as jnp


def compose(mats, x, n, damp):
    return reduce(lambda acc, i: damp * (mats[i] @ acc), range(n), x)


mats = [jnp.eye(2), jnp.array([[0.0, 1.0], [1.0, 1.0]]), 2 * jnp.eye(2)]

FUNCTION = "compose"
CALLS = [
    ((mats, jnp.array([1.0, 2.0]), 2, 0.5), {}),
    ((mats, jnp.ones((2, 3)), 3, jnp.array(1.5)), {}),
    ((mats, jnp.ones(2)), {"n": 0, "damp": 1}),
]
KIND = "static"
STATIC = [("n",)]
SITES = ["return reduce(lambda acc, i: damp * (mats[i] @ acc), range(n), x)"]
CATEGORY = "range"
