"""counts[k] += 1 in a loop over labels: an in-place update of a jax array. With `.at[k].add(1)` it works; static n_classes alone moves
on to this line only."""

import jax.numpy as jnp


def class_counts(labels, template):
    counts = jnp.zeros_like(template)
    for k in labels:
        counts[k] += 1
    return counts / labels.shape[0]


def class_counts_fixed(labels, template):
    counts = jnp.zeros_like(template)
    for k in labels:
        counts = counts.at[k].add(1)
    return counts / labels.shape[0]


FUNCTION = "class_counts"
CALLS = [((jnp.array([0, 2, 2]), jnp.zeros(3)), {}), ((jnp.array([1]), jnp.zeros(2)), {})]
KIND = "not_staticness"
ALSO = ("rewrite",)
FIXED = "class_counts_fixed"
SITES = ["counts[k] += 1"]
CATEGORY = "in-place assignment"
