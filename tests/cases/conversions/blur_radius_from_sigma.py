"""The radius of a Gaussian kernel is int(3 * sigma + 0.5): the float decides a length, although it is computed with as well. Static is
the only way, for a few fixed scales."""

import jax.numpy as jnp


def blur(signal, sigma, mix):
    radius = int(3 * sigma + 0.5)
    t = jnp.arange(-radius, radius + 1)
    kernel = jnp.exp(-0.5 * (t / sigma) ** 2)
    smooth = jnp.convolve(signal, kernel / kernel.sum(), mode="same")
    return mix * smooth + (1 - mix) * signal


s = jnp.sin(jnp.arange(12.0))

FUNCTION = "blur"
CALLS = [((s, 0.8, 0.5), {}), ((s, 1.3, jnp.array(1.0)), {}), ((s[::-1],), {"sigma": 0.4, "mix": 1})]
KIND = "static"
STATIC = [("sigma",)]
SITES = ["radius = int(3 * sigma + 0.5)"]
CATEGORY = "static float"
