"""A guard against zero vectors with `or` returns a Python float; without it the division gives NaN, also in the gradient."""

import jax.numpy as jnp


def cosine_similarity(a, b):
    na, nb = jnp.linalg.norm(a), jnp.linalg.norm(b)
    if na == 0 or nb == 0:
        return 0.0
    return a @ b / (na * nb)


def cosine_similarity_fixed(a, b):
    na, nb = jnp.linalg.norm(a), jnp.linalg.norm(b)
    empty = (na == 0) | (nb == 0)
    return jnp.where(empty, 0.0, a @ b / jnp.where(empty, 1.0, na * nb))


a, b = jnp.array([1.0, 2.0]), jnp.array([-3.0, 0.5])

FUNCTION = "cosine_similarity"
CALLS = [((a, b), {}), ((a, 0 * b), {}), ((0 * a, 0 * b), {}), ((a, a), {})]
KIND = "rewrite"
FIXED = "cosine_similarity_fixed"
SITES = ["if na == 0 or nb == 0:"]
CATEGORY = "early return"
