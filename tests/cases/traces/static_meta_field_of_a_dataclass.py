"""A registered dataclass with a meta field: its int is part of the tree's structure, so the loop over it is a Python loop."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp


@jax.tree_util.register_dataclass
@dataclass
class Filter:
    taps: jax.Array
    gain: float
    passes: int = field(metadata=dict(static=True), default=1)


def apply(f, x):
    for _ in range(f.passes):
        x = f.gain * jnp.convolve(x, f.taps, mode="same")
    return x if f.passes > 1 else x - x.mean()


t = jnp.array([0.25, 0.5, 0.25])

FUNCTION = "apply"
CALLS = [
    ((Filter(t, 1.0, 2), jnp.arange(5.0)), {}),
    ((Filter(t, 2.0), jnp.arange(4.0)), {}),
    ((Filter(t, jnp.array(0.5), 3),), {"x": jnp.ones(6)}),
]
KIND = "traces"
CATEGORY = "pytree"
