"""Branches on dtype, ndim, isinstance of a dict and len of a list: structure again, in a tree of mixed things."""

import jax.numpy as jnp


def normalise(tree, eps=1e-6):
    if isinstance(tree, dict):
        return {k: normalise(v, eps) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(normalise(v, eps) for v in tree) if len(tree) else tree
    if not jnp.issubdtype(jnp.result_type(tree), jnp.floating):
        return tree
    if jnp.ndim(tree) == 0:
        return tree / (abs(tree) + eps)
    return tree / (jnp.linalg.norm(tree) + eps)


t1 = {"w": jnp.array([3.0, 4.0]), "n": jnp.array([1, 2]), "s": (2.0, [jnp.ones((2, 2))])}

FUNCTION = "normalise"
CALLS = [((t1,), {}), ((jnp.array([1, 2]), 0.5), {}), (({"a": [jnp.array(-3.0)]},), {"eps": jnp.array(1.0)})]
KIND = "traces"
CATEGORY = "pytree"
