"""Sinusoidal positions: the length feeds arange, the width a slice step and a stack. Two sizes, two static arguments."""

import jax.numpy as jnp


def positional_encoding(length, width, base=10_000.0):
    pos = jnp.arange(length)[:, None]
    freq = base ** (-jnp.arange(0, width, 2) / width)
    angles = pos * freq
    return jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=-1)


FUNCTION = "positional_encoding"
CALLS = [((4, 6), {}), ((7, 2), {"base": 100.0}), ((4, 6, jnp.array(50.0)), {})]
KIND = "static"
STATIC = [("length", "width")]
SITES = ["pos = jnp.arange(length)[:, None]", "freq = base ** (-jnp.arange(0, width, 2) / width)"]
CATEGORY = "arange"
