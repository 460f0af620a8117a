"""vmap with in_axes=(0, None, None): unmapped Python numbers go through vmap unchanged, so the count is static at the outer level."""

import jax
import jax.numpy as jnp


def mackey_step(x, n_sub, beta):
    for _ in range(n_sub):
        x = x + (beta * x / (1.0 + x**4) - 0.5 * x) / n_sub
    history = jnp.full((n_sub,), x)
    return history


def ensemble(xs, n_sub, beta):
    return jax.vmap(mackey_step, in_axes=(0, None, None))(xs, n_sub, beta).mean(axis=0)


xs = jnp.array([0.5, 1.0, 1.5])

FUNCTION = "ensemble"
CALLS = [((xs, 3, 2.0), {}), ((xs, 2, jnp.array(1.0)), {}), ((xs[:1],), {"n_sub": 1, "beta": 1})]
KIND = "static"
STATIC = [("n_sub",)]
SITES = ["for _ in range(n_sub):", "history = jnp.full((n_sub,), x)"]
CATEGORY = "vmap body"
