"""jnp.stack over pieces of different lengths: a ValueError about shapes, whatever `scale` is."""

import jax.numpy as jnp


def segments(signal, scale):
    pieces = [signal[i : i + 3] for i in range(0, signal.shape[0], 3)]
    return scale * jnp.stack(pieces).mean(axis=1)


FUNCTION = "segments"
CALLS = [((jnp.arange(7.0), 2), {}), ((jnp.arange(5.0), 3), {})]
KIND = "not_staticness"
SITES = ["return scale * jnp.stack(pieces).mean(axis=1)"]
CATEGORY = "shape mismatch"
