"""A helper that forgets to return gives None, which the caller adds to. `n` is a suspect only by its looks."""

import jax.numpy as jnp


def _scaled(x, n):
    x * n  # noqa: B018 - the mistake


def apply(x, n):
    return _scaled(x, n) + 1


FUNCTION = "apply"
CALLS = [((jnp.ones(2), 2), {})]
KIND = "not_staticness"
SITES = ["return _scaled(x, n) + 1"]
CATEGORY = "plain bug"
