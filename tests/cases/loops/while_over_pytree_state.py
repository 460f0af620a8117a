"""The state of the loop is a dict of arrays that is rebuilt each round, the stop test reads a norm over it."""

import jax
import jax.numpy as jnp
from jax import lax


def decay_tree(params, rate, limit):
    rounds = 0
    while sum(jnp.sum(v**2) for v in jax.tree.leaves(params)) > limit:
        params = {name: v * rate for name, v in params.items()}
        rounds += 1
    return params, rounds


def decay_tree_fixed(params, rate, limit):
    big = lambda s: sum(jnp.sum(v**2) for v in jax.tree.leaves(s[0])) > limit
    body = lambda s: (jax.tree.map(lambda v: v * rate, s[0]), s[1] + 1)
    return lax.while_loop(big, body, (params, 0))


P = {"w": jnp.array([3.0, 4.0]), "b": jnp.array(1.0)}

FUNCTION = "decay_tree"
CALLS = [
    ((P, 0.5, 2.0), {}),
    ((P, jnp.array(0.9), jnp.array(99.0)), {}),
    (({"w": jnp.ones((2, 2))}, 0.1), {"limit": jnp.array(1e-3)}),
]
KIND = "rewrite"
FIXED = "decay_tree_fixed"
SITES = ["while sum(jnp.sum(v**2) for v in jax.tree.leaves(params)) > limit:"]
CATEGORY = "while"
