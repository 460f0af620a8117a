"""Counts in a Python list at int(...) of a traced number: the conversion and the list index both need the value."""

import jax.numpy as jnp


def bin_counts(x, width):
    counts = [0] * 4
    for v in x:
        k = int(v // width)
        counts[k] += 1
    return jnp.array(counts)


def bin_counts_fixed(x, width):
    counts = jnp.zeros(4, int)
    for v in x:
        counts = counts.at[(v // width).astype(int)].add(1)
    return counts


FUNCTION = "bin_counts"
CALLS = [
    ((jnp.array([0.1, 0.9, 1.7, 0.2]), 0.5), {}),
    ((jnp.array([0.0, 3.9]), jnp.array(1.0)), {}),
    ((jnp.array([1.0]), jnp.array(0.4)), {}),
]
KIND = "rewrite"
FIXED = "bin_counts_fixed"
SITES = ["k = int(v // width)"]
CATEGORY = "in-place list"
