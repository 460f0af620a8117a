"""A while_loop whose body turns a scalar into a vector: carry in and out differ in shape. max_iter traces."""

import jax.numpy as jnp
from jax import lax


def relax(x, b, max_iter):
    def body(s):
        i, r = s
        return i + 1, 0.5 * (r + b / x)

    return lax.while_loop(lambda s: s[0] < max_iter, body, (0, jnp.zeros(())))[1]


FUNCTION = "relax"
CALLS = [((jnp.ones(3), jnp.ones(3), 5), {}), ((jnp.ones(2), jnp.ones(2), 2), {})]
KIND = "not_staticness"
SITES = ["return lax.while_loop(lambda s: s[0] < max_iter, body, (0, jnp.zeros(())))[1]"]
CATEGORY = "carry type"
