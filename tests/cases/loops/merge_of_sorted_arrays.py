"""Two pointers merge sorted arrays into a list. The result is as long as both together; the list is an array of that length."""

import jax.numpy as jnp
from jax import lax


def merge(a, b):
    out = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] <= b[j]:
            out.append(a[i])
            i += 1
        else:
            out.append(b[j])
            j += 1
    while i < len(a):
        out.append(a[i])
        i += 1
    while j < len(b):
        out.append(b[j])
        j += 1
    return jnp.array(out)


def merge_fixed(a, b):
    def step(carry, _):
        i, j = carry
        left = (j >= len(b)) | ((i < len(a)) & (a[i] <= b[j]))
        return (i + left, j + (1 - left)), jnp.where(left, a[i], b[j])

    return lax.scan(step, (0, 0), length=len(a) + len(b))[1]


FUNCTION = "merge"
CALLS = [
    ((jnp.array([1.0, 4.0, 6.0]), jnp.array([2.0, 3.0])), {}),
    ((jnp.array([1.0]), jnp.array([2.0, 3.0])), {}),
    ((jnp.array([5, 6]), jnp.array([2, 3])), {}),
]
KIND = "rewrite"
FIXED = "merge_fixed"
SITES = ["if a[i] <= b[j]:"]
CATEGORY = "loops"
