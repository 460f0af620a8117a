"""sorted(x) of an array, a list's index of its minimum, and reverse=True: each compares tracers."""

import jax.numpy as jnp


def robust_summary(x):
    ordered = sorted(x)
    middle = ordered[len(x) // 2]
    largest = sorted(x, reverse=True)[0]
    return middle, largest, ordered[0]


def robust_summary_fixed(x):
    ordered = jnp.sort(x)
    return ordered[x.shape[0] // 2], ordered[-1], ordered[0]


FUNCTION = "robust_summary"
CALLS = [((jnp.array([3.0, 1.0, 2.0]),), {}), ((jnp.array([5.0, -1.0, 4.0, 0.0]),), {}), ((jnp.array([7.0]),), {})]
KIND = "rewrite"
FIXED = "robust_summary_fixed"
SITES = ["ordered = sorted(x)", "largest = sorted(x, reverse=True)[0]"]
CATEGORY = "sorted"
