"""Ternaries inside a list and a dict comprehension over parameters, by the value of each: tree structure stays, entries are data."""

import jax.numpy as jnp


def prune(params, scores, cut):
    kept = {name: (w if scores[name] > cut else 0.0 * w) for name, w in params.items()}
    share = [1 if scores[name] > cut else 0 for name in params]
    return kept, sum(share) / len(share)


def prune_fixed(params, scores, cut):
    kept = {name: jnp.where(scores[name] > cut, w, 0.0) for name, w in params.items()}
    share = [jnp.where(scores[name] > cut, 1, 0) for name in params]
    return kept, sum(share) / len(share)


P = {"a": jnp.array([1.0, 2.0]), "b": jnp.array(3.0), "c": jnp.ones((2, 1))}

FUNCTION = "prune"
CALLS = [
    ((P, {"a": jnp.array(0.1), "b": jnp.array(0.9), "c": jnp.array(0.5)}, 0.3), {}),
    ((P, {"a": jnp.array(0.1), "b": jnp.array(0.2), "c": jnp.array(0.0)}, jnp.array(0.3)), {}),
    (({"a": jnp.array(5.0)}, {"a": 1.0}), {"cut": 0.0}),
]
KIND = "rewrite"
FIXED = "prune_fixed"
SITES = [
    "kept = {name: (w if scores[name] > cut else 0.0 * w) for name, w in params.items()}",
    "share = [1 if scores[name] > cut else 0 for name in params]",
]
CATEGORY = "comprehension"
