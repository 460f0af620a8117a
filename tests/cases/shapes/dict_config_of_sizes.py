"""The sizes sit in a dict: it cannot be static (unhashable) and no rewrite of the function gets round a shape. The dict must become a
frozen dataclass or the size an argument of its own; a tool may call that static or a rewrite (ALSO)."""

import jax
import jax.numpy as jnp


def attend(x, cfg):
    t, d = x.shape
    h = x.reshape(t, cfg["n_heads"], d // cfg["n_heads"])
    w = jax.nn.softmax(jnp.einsum("qhd,khd->hqk", h, h) * cfg["scale"])
    return jnp.einsum("hqk,khd->qhd", w, h).reshape(t, d)


x = jnp.cos(jnp.arange(12.0)).reshape(3, 4)

FUNCTION = "attend"
CALLS = [((x, {"n_heads": 2, "scale": 0.5}), {}), ((x, {"n_heads": 4, "scale": 1.0}), {})]
KIND = "not_staticness"
ALSO = ("static", "rewrite", "static+rewrite")
SITES = ['h = x.reshape(t, cfg["n_heads"], d // cfg["n_heads"])']
CATEGORY = "unhashable option"
