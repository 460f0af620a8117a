"""The function is found in a dict that a decorator filled: the rewrite must arrive there as well."""

import jax.numpy as jnp

REGISTRY = {}


def register(fun):
    REGISTRY[fun.__name__] = fun
    return fun


@register
def pinball(error, q):
    return q * error if error >= 0 else (q - 1) * error


@register
def squared(error, q):
    return error**2 + 0 * q


def pinball_fixed(error, q):
    return jnp.where(error >= 0, q * error, (q - 1) * error)


FUNCTION = 'REGISTRY["pinball"]'
CALLS = [((jnp.array(2.0), 0.9), {}), ((jnp.array(-2.0), 0.9), {}), ((jnp.array(0.0), jnp.array(0.1)), {})]
KIND = "rewrite"
FIXED = "pinball_fixed"
SITES = ["return q * error if error >= 0 else (q - 1) * error"]
CATEGORY = "decorator"
