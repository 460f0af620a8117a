"""range with three arguments, all of them static; only the last one is an obvious count."""

import jax.numpy as jnp


def strided_fir(signal, start, stop, step, gain):
    out = jnp.zeros(())
    for i in range(start, stop, step):
        out = out + gain * signal[i]
    return out


sig = jnp.arange(10.0) ** 2

FUNCTION = "strided_fir"
CALLS = [((sig, 1, 9, 3, 0.5), {}), ((sig, 8, 2, -2, 0.5), {}), ((sig, 0, 4), {"step": 1, "gain": jnp.array(2.0)})]
KIND = "static"
STATIC = [("start", "stop", "step")]
ALSO = ("rewrite",)  # a while_loop over a traced index would do as well
SITES = ["for i in range(start, stop, step):"]
CATEGORY = "range"
