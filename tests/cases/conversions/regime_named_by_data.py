"""Data chooses a name, the name an entry of a table and a function: the numbers can be chosen at run time, the name cannot."""

import jax
import jax.numpy as jnp

DRIFT = {"calm": 0.02, "stress": -0.10}


def next_level(level, spread):
    regime = "stress" if spread > 1.5 else "calm"
    shape = jnp.tanh if spread > 3.0 else jnp.sin
    return level * (1.0 + DRIFT[regime]) + shape(spread)


def next_level_fixed(level, spread):
    drift = jnp.where(spread > 1.5, DRIFT["stress"], DRIFT["calm"])
    return level * (1.0 + drift) + jax.lax.cond(spread > 3.0, jnp.tanh, jnp.sin, spread)


FUNCTION = "next_level"
CALLS = [((jnp.array(1.0), jnp.array(s)), {}) for s in (2.0, 1.0, 5.0, 1.5)]
KIND = "rewrite"
FIXED = "next_level_fixed"
SITES = ['regime = "stress" if spread > 1.5 else "calm"', "shape = jnp.tanh if spread > 3.0 else jnp.sin"]
CATEGORY = "dict lookup"
