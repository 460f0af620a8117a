"""range(round(t_end / dt)): two floats decide how often a Python loop runs, and one of them is computed with in the body. Static serves;
a fori_loop with a traced count would too (ALSO)."""

import jax.numpy as jnp


def oscillator(y, t_end, dt, damping):
    for _ in range(round(t_end / dt)):
        y = y + dt * jnp.stack([y[1], -y[0] - damping * y[1]])
    return y


y0 = jnp.array([1.0, 0.0])

FUNCTION = "oscillator"
CALLS = [((y0, 0.5, 0.1, 0.2), {}), ((y0, 0.3, 0.1, jnp.array(0.0)), {}), ((2 * y0, 0.4), {"dt": 0.2, "damping": 1})]
KIND = "static"
STATIC = [("t_end", "dt")]
ALSO = ("rewrite",)
SITES = ["for _ in range(round(t_end / dt)):"]
CATEGORY = "static float"
