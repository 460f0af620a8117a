"""`min` with a key compares traced keys one by one: the place of the smallest key picks the element."""

import jax.numpy as jnp


def nearest_grid_point(grid, value):
    best = min(range(len(grid)), key=lambda i: abs(grid[i] - value))
    furthest = max(grid, key=lambda g: (g - value) ** 2)
    return best, grid[best] - value, furthest


def nearest_grid_point_fixed(grid, value):
    best = jnp.argmin(jnp.abs(grid - value))
    return best, grid[best] - value, grid[jnp.argmax((grid - value) ** 2)]


FUNCTION = "nearest_grid_point"
CALLS = [
    ((jnp.array([0.0, 1.0, 4.0]), 1.3), {}),
    ((jnp.array([0.0, 1.0, 4.0, 9.0]), 100.0), {}),
    ((jnp.array([2.0, 2.0]), -1.0), {}),
]
KIND = "rewrite"
FIXED = "nearest_grid_point_fixed"
SITES = ["best = min(range(len(grid)), key=lambda i: abs(grid[i] - value))"]
CATEGORY = "builtins"
