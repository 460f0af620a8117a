"""x[::k] and x[burn::k]: a slice's step and start, both ints of the analysis and both static."""

import jax.numpy as jnp


def thin_chain(samples, burn, every, scale):
    kept = samples[burn::every]
    return kept.mean(axis=0) * scale, kept.shape[0] * scale


S = jnp.sin(jnp.arange(20.0)).reshape(10, 2)

FUNCTION = "thin_chain"
CALLS = [((S, 2, 3, 1.0), {}), ((S, 0, 5, jnp.array(0.5)), {}), ((S[:4],), {"burn": 1, "every": 1, "scale": 2})]
KIND = "static"
STATIC = [("burn", "every")]
SITES = ["kept = samples[burn::every]"]
CATEGORY = "slice"
