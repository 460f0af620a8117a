"""A NamedTuple of sizes and a rate: a pytree whose leaves become tracers. As a whole it is hashable, so the whole is static."""

from typing import NamedTuple

import jax.numpy as jnp


class Grid(NamedTuple):
    n: int
    order: int
    spacing: float


def derivative_matrix(scale, grid):
    D = jnp.zeros((grid.n, grid.n))
    if grid.order == 1:
        D = D + jnp.eye(grid.n, k=1) - jnp.eye(grid.n, k=-1)
        return scale * D / (2 * grid.spacing)
    D = D + jnp.eye(grid.n, k=1) - 2 * jnp.eye(grid.n) + jnp.eye(grid.n, k=-1)
    return scale * D / grid.spacing**2


FUNCTION = "derivative_matrix"
CALLS = [((1.0, Grid(3, 2, 0.5)), {}), ((jnp.array(2.0), Grid(4, 1, 0.1)), {}), ((1,), {"grid": Grid(2, 2, 1.0)})]
KIND = "static"
STATIC = [("grid",)]
SITES = ["D = jnp.zeros((grid.n, grid.n))", "if grid.order == 1:"]
CATEGORY = "NamedTuple"
