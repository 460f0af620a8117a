"""The helper is jitted with its own static_argnames; the outer jit hands it a tracer: "Non-hashable static arguments". The cure is to
make the outer argument static too."""

from functools import partial

import jax
import jax.numpy as jnp


@partial(jax.jit, static_argnames=("n_knots",))
def _hat_basis(x, n_knots):
    knots = jnp.linspace(0.0, 1.0, n_knots)
    width = knots[1] - knots[0]
    return jnp.maximum(1.0 - jnp.abs(x[:, None] - knots) / width, 0.0)


def spline_fit(x, y, n_knots, ridge):
    B = _hat_basis(x, n_knots)
    return jnp.linalg.solve(B.T @ B + ridge * jnp.eye(B.shape[1]), B.T @ y)


x = jnp.linspace(0.05, 0.95, 8)

FUNCTION = "spline_fit"
CALLS = [((x, x**2, 4, 0.1), {}), ((x, jnp.sin(x), 3, jnp.array(1.0)), {}), ((x[:5], x[:5]), {"n_knots": 2, "ridge": 1})]
KIND = "static"
STATIC = [("n_knots",)]
SITES = ["B = _hat_basis(x, n_knots)"]
CATEGORY = "inner jit"
