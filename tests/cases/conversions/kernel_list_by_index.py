"""A list of functions indexed by a traced number: TypeError about __index__. Which kernel is chosen was sampled: lax.switch."""

import jax.numpy as jnp
from jax import lax

MOVES = [lambda x, s: x + s, lambda x, s: x * s, lambda x, s: -x]


def apply_move(x, which, strength):
    return MOVES[which](x, strength)


def apply_move_fixed(x, which, strength):
    return lax.switch(which, MOVES, x, strength)


FUNCTION = "apply_move"
CALLS = [((jnp.array([1.0, 2.0]), jnp.int32(k), 3.0), {}) for k in (0, 1, 2)] + [
    ((jnp.array(5.0), jnp.int32(1), jnp.array(0.5)), {})
]
KIND = "rewrite"
FIXED = "apply_move_fixed"
SITES = ["return MOVES[which](x, strength)"]
CATEGORY = "list lookup"
