"""jax.tree_util.Partial is a pytree, so a callable can be an argument after all; its bound array is a leaf."""

import jax.numpy as jnp
from jax.tree_util import Partial


def power_law(a, b, x):
    return a * x**b


def integrate(f, grid):
    y = f(grid)
    return jnp.sum((y[1:] + y[:-1]) / 2 * jnp.diff(grid))


FUNCTION = "integrate"
CALLS = [
    ((Partial(power_law, jnp.array(2.0), 3.0), jnp.linspace(0.0, 1.0, 5)), {}),
    ((Partial(power_law, 1.0, jnp.array(0.5)), jnp.linspace(1.0, 2.0, 3)), {}),
]
KIND = "traces"
CATEGORY = "callable"
