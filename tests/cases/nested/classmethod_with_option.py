"""A classmethod with a string option: cls is bound, the name is static."""

import jax.numpy as jnp


class Window:
    ALPHA = 0.16

    @classmethod
    def apply(cls, x, name, gain=1.0):
        t = jnp.arange(x.shape[-1]) / (x.shape[-1] - 1)
        if name == "hann":
            w = 0.5 - 0.5 * jnp.cos(2 * jnp.pi * t)
        elif name == "blackman":
            w = (1 - cls.ALPHA) / 2 - 0.5 * jnp.cos(2 * jnp.pi * t) + cls.ALPHA / 2 * jnp.cos(4 * jnp.pi * t)
        else:
            w = jnp.ones_like(t)
        return gain * w * x


FUNCTION = "Window.apply"
CALLS = [
    ((jnp.ones(5), "hann"), {}),
    ((jnp.arange(4.0), "blackman", jnp.array(2.0)), {}),
    ((jnp.ones((2, 3)),), {"name": "none", "gain": 3}),
]
KIND = "static"
STATIC = [("name",)]
SITES = ['if name == "hann":']
CATEGORY = "method"
