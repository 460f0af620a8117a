"""A print under an if, for a warning, with an f-string that has a spec: the output is a side effect, the result does not depend on it.
jax.debug.print inside lax.cond keeps it."""

import jax
import jax.numpy as jnp
from jax import lax


def checked_update(w, g, lr):
    size = jnp.linalg.norm(g)
    if size > 100.0:
        print(f"large gradient: {size:.1f}")
    return w - lr * g


def checked_update_fixed(w, g, lr):
    size = jnp.linalg.norm(g)
    lax.cond(size > 100.0, lambda: jax.debug.print("large gradient: {s:.1f}", s=size), lambda: None)
    return w - lr * g


FUNCTION = "checked_update"
CALLS = [
    ((jnp.ones(2), jnp.array([300.0, 400.0]), 0.1), {}),
    ((jnp.ones(2), jnp.array([3.0, 4.0]), 0.1), {}),
    ((jnp.zeros(3), jnp.full(3, 99.0)), {"lr": jnp.array(0.5)}),
]
KIND = "rewrite"
FIXED = "checked_update_fixed"
SITES = ["if size > 100.0:", 'print(f"large gradient: {size:.1f}")']
CATEGORY = "side effect"
