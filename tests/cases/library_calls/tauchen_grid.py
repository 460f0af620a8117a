"""Tauchen's discretisation of an AR(1): the number of states sizes linspace and two arrays; rho, sigma and the width are data."""

import jax.numpy as jnp
from jax.scipy.stats import norm


def tauchen(rho, sigma, n_states, width=3.0):
    top = width * sigma / jnp.sqrt(1.0 - rho**2)
    grid = jnp.linspace(-top, top, n_states)
    half = (grid[1] - grid[0]) / 2.0
    gap = grid[None, :] - rho * grid[:, None]
    up = norm.cdf((gap + half) / sigma).at[:, -1].set(1.0)
    low = norm.cdf((gap - half) / sigma).at[:, 0].set(0.0)
    return grid, up - low


FUNCTION = "tauchen"
CALLS = [((0.9, 0.1, 5), {}), ((jnp.array(0.5), 0.2, 5), {}), ((0.9, jnp.array(0.1)), {"n_states": 3, "width": 2.0})]
KIND = "static"
STATIC = [("n_states",)]
SITES = ["grid = jnp.linspace(-top, top, n_states)"]
CATEGORY = "linspace"
