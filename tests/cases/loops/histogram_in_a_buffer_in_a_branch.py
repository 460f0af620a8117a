"""A NumPy buffer counted up inside a branch on a traced bin: int(), a chained test, and an item set in place, one behind another."""

import jax.numpy as jnp
import numpy as np


def counts_in_bins(samples, low, high):
    counts = np.zeros(4)
    width = (high - low) / 4
    outside = 0
    for s in samples:
        k = int((s - low) / width)
        if 0 <= k < 4 and s >= low:
            counts[k] += 1
        else:
            outside += 1
    return counts, outside


def counts_in_bins_fixed(samples, low, high):
    k = ((samples - low) / ((high - low) / 4)).astype(int)
    inside = (k >= 0) & (k < 4) & (samples >= low)
    counts = jnp.zeros(4).at[jnp.where(inside, k, 0)].add(inside.astype(float))
    return counts, (~inside).sum()


FUNCTION = "counts_in_bins"
CALLS = [
    ((jnp.array([0.1, 0.6, 0.7, 1.5, -0.1]), 0.0, 1.0), {}),
    ((jnp.array([0.1, 0.9, 0.95]), 0.0, 1.0), {}),
    ((jnp.array([5.0, 9.0]), 0.0, 1.0), {}),
]
KIND = "rewrite"
FIXED = "counts_in_bins_fixed"
SITES = ["k = int((s - low) / width)", "if 0 <= k < 4 and s >= low:"]
CATEGORY = "in-place update"
