"""`if x.sum():`, `if not mask.any():` and `while`-free code: numbers and bools as conditions without a comparison."""

import jax.numpy as jnp


def normalise_votes(votes, mask):
    if not mask.any():
        return jnp.zeros_like(votes)
    kept = votes * mask
    total = kept.sum()
    if total:
        kept = kept / total
    return kept


def normalise_votes_fixed(votes, mask):
    kept = votes * mask
    total = kept.sum()
    kept = kept / jnp.where(total != 0, total, 1.0)
    return jnp.where(mask.any(), kept, 0.0)


v = jnp.array([1.0, 3.0, 4.0])

FUNCTION = "normalise_votes"
CALLS = [
    ((v, jnp.array([True, True, False])), {}),
    ((v, jnp.array([False, False, False])), {}),
    ((jnp.array([0.0, 0.0, 5.0]), jnp.array([True, True, False])), {}),
]
KIND = "rewrite"
FIXED = "normalise_votes_fixed"
SITES = ["if not mask.any():", "if total:"]
CATEGORY = "truth value"
