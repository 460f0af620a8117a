"""k: int | None: `is not None` is no site, top_k is; the noise level beside it is data."""

import jax
import jax.numpy as jnp


def route(logits, k=None, noise=0.0):
    logits = logits + noise * jnp.cos(logits)
    if k is not None:
        kth = jax.lax.top_k(logits, k)[0][..., -1:]
        logits = jnp.where(logits >= kth, logits, -jnp.inf)
    return jax.nn.softmax(logits, axis=-1)


L = jnp.array([[1.0, 3.0, 2.0], [0.0, -1.0, 4.0]])

FUNCTION = "route"
CALLS = [((L, 2), {}), ((L,), {"k": 1, "noise": 0.1}), ((L,), {}), ((L[0], 3, jnp.array(0.5)), {})]
KIND = "static"
STATIC = [("k",)]
SITES = ["kth = jax.lax.top_k(logits, k)[0][..., -1:]"]
CATEGORY = "optional"
