"""Backtracking line search inside a fixed number of gradient steps: a while in a for; the count of all trials goes on after it."""

import jax
import jax.numpy as jnp
from jax import lax


def objective(x):
    return jnp.sum((x - 1.0) ** 4) + 0.5 * jnp.sum(x**2)


def descend(x, t0):
    trials = 0
    for _ in range(4):
        fx, g = jax.value_and_grad(objective)(x)
        t = t0
        while objective(x - t * g) > fx - 0.3 * t * (g @ g):
            t = 0.5 * t
            trials += 1
        x = x - t * g
    return x, trials


def descend_fixed(x, t0):
    trials = 0
    for _ in range(4):
        fx, g = jax.value_and_grad(objective)(x)
        poor = lambda s, x=x, g=g, fx=fx: objective(x - s[0] * g) > fx - 0.3 * s[0] * (g @ g)
        t, trials = lax.while_loop(poor, lambda s: (0.5 * s[0], s[1] + 1), (jnp.asarray(t0, jnp.float32), trials))
        x = x - t * g
    return x, trials


FUNCTION = "descend"
CALLS = [
    ((jnp.array([3.0, -1.0]), 1.0), {}),
    ((jnp.array([3.0, -1.0]), jnp.array(1e-3)), {}),
    ((jnp.array([0.5]), jnp.array(4.0)), {}),
]
KIND = "rewrite"
FIXED = "descend_fixed"
SITES = ["while objective(x - t * g) > fx - 0.3 * t * (g @ g):"]
CATEGORY = "while"
