"""A loop whose body halves the shape: the count is static and no fori_loop could carry it."""

import jax.numpy as jnp


def gaussian_pyramid(signal, levels, blend):
    out = [signal]
    for _ in range(levels):
        signal = (1 - blend) * signal[::2] + blend * signal[1::2]
        out.append(signal)
    return out


FUNCTION = "gaussian_pyramid"
CALLS = [
    ((jnp.arange(8.0), 2, 0.5), {}),
    ((jnp.arange(8.0), 3, jnp.array(0.1)), {}),
    ((jnp.arange(4.0),), {"levels": 0, "blend": 1}),
]
KIND = "static"
STATIC = [("levels",)]
SITES = ["for _ in range(levels):"]
CATEGORY = "shape"
