"""Column names as a tuple of strings and a frozenset of steps: a tuple of strings is a pytree of strings, refused at the call, hashable
as a whole; so is the frozenset, which is no pytree."""

import jax.numpy as jnp


def features(table, columns, steps, clip):
    X = jnp.stack([table[name] for name in columns], axis=1)
    if "center" in steps:
        X = X - X.mean(axis=0)
    if "clip" in steps:
        X = jnp.clip(X, -clip, clip)
    return X


T = {"age": jnp.array([20.0, 40.0]), "dose": jnp.array([1.0, 9.0]), "id": jnp.array([0.0, 1.0])}

FUNCTION = "features"
CALLS = [
    ((T, ("age", "dose"), frozenset({"center"}), 2.0), {}),
    ((T, ("id",), frozenset({"clip"}), jnp.array(0.5)), {}),
    ((T,), {"columns": ("dose", "age"), "steps": frozenset({"center", "clip"}), "clip": 3}),
]
KIND = "static"
STATIC = [("columns", "steps")]
SITES = ["X = jnp.stack([table[name] for name in columns], axis=1)", 'if "center" in steps:']
CATEGORY = "names"
