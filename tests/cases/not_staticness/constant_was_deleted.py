"""The function closes over an array whose memory was freed. It traces; the call fails all the same, with jit and without."""

import jax.numpy as jnp

offsets = jnp.arange(4.0)
offsets.delete()


def shifted(x, gain):
    return x + offsets * gain


FUNCTION = "shifted"
CALLS = [((jnp.ones(4), 2), {})]
KIND = "not_staticness"
SITES = ["return x + offsets * gain"]
CATEGORY = "deleted array"
