"""jnp.intersect1d and setdiff1d: sizes that depend on the data; only the number of common members is wanted."""

import jax.numpy as jnp


def jaccard(a, b):
    common = jnp.intersect1d(a, b)
    return common.size / (jnp.unique(a).size + jnp.unique(b).size - common.size)


def jaccard_fixed(a, b):
    def distinct(v):
        s = jnp.sort(v)
        return 1 + jnp.sum(s[1:] != s[:-1])

    both = distinct(jnp.concatenate([a, b]))
    return (distinct(a) + distinct(b) - both) / both


FUNCTION = "jaccard"
CALLS = [
    ((jnp.array([1, 2, 3, 3]), jnp.array([3, 4, 1])), {}),
    ((jnp.array([1, 1]), jnp.array([2, 2])), {}),
    ((jnp.array([7, 8]), jnp.array([8, 7])), {}),
]
KIND = "rewrite"
FIXED = "jaccard_fixed"
SITES = ["common = jnp.intersect1d(a, b)", "return common.size / (jnp.unique(a).size + jnp.unique(b).size - common.size)"]
CATEGORY = "unique"
