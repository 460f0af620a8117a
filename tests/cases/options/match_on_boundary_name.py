"""match over a string and a tuple pattern: strings are refused before any line runs, and a (name, value) tuple cannot be an argument
without its name static; here the name and the order are arguments of their own."""

import jax.numpy as jnp


def derivative(u, dx, boundary, order):
    match boundary, order:
        case "periodic", 2:
            return (jnp.roll(u, -1) - jnp.roll(u, 1)) / (2 * dx)
        case "periodic", _:
            return (jnp.roll(u, -1) - u) / dx
        case (("neumann" | "dirichlet"), _):
            g = jnp.pad(u, 1, mode="edge" if boundary == "neumann" else "constant")
            return (g[2:] - g[:-2]) / (2 * dx)
    raise ValueError(boundary)


u = jnp.array([0.0, 1.0, 4.0, 2.0])

FUNCTION = "derivative"
CALLS = [
    ((u, 0.1, "periodic", 2), {}),
    ((u, 0.5, "periodic", 1), {}),
    ((u, jnp.array(0.5)), {"boundary": "neumann", "order": 2}),
    ((u, 1, "dirichlet", 1), {}),
]
KIND = "static"
STATIC = [("boundary", "order")]
SITES = ['case "periodic", 2:']
CATEGORY = "match"
