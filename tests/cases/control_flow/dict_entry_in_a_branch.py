"""A local dict gets an entry in both branches and changes another in one only: subscripts as targets of assignments."""

import jax.numpy as jnp


def update_scaler(scale, grads, growth):
    out = {"scale": scale, "skipped": 0}
    total = sum(jnp.sum(g) for g in grads)
    if jnp.isfinite(total):
        out["grads"] = [g / scale for g in grads]
        out["scale"] = scale * growth
    else:
        out["grads"] = [jnp.zeros_like(g) for g in grads]
        out["scale"] = scale / 2
        out["skipped"] += 1
    return out


def update_scaler_fixed(scale, grads, growth):
    ok = jnp.isfinite(sum(jnp.sum(g) for g in grads))
    return {
        "scale": jnp.where(ok, scale * growth, scale / 2),
        "skipped": jnp.where(ok, 0, 1),
        "grads": [jnp.where(ok, g / scale, 0.0) for g in grads],
    }


G = [jnp.array([1.0, 2.0]), jnp.ones((2, 2))]

FUNCTION = "update_scaler"
CALLS = [
    ((jnp.array(8.0), G, 2.0), {}),
    ((jnp.array(8.0), [G[0] * jnp.inf, G[1]], 2.0), {}),
    ((16.0, [jnp.array([jnp.nan])]), {"growth": jnp.array(1.5)}),
]
KIND = "rewrite"
FIXED = "update_scaler_fixed"
SITES = ["if jnp.isfinite(total):"]
CATEGORY = "if"
