"""A flag decides whether float() numbers are added to the result: the flag is static and the float() must go."""

import jax.numpy as jnp


def evaluate(pred, target, with_stats):
    err = (pred - target) ** 2
    out = {"mse": err.mean()}
    if with_stats:
        out["worst"] = float(err.max())
        out["where"] = int(err.argmax())
    return out


def evaluate_fixed(pred, target, with_stats):
    err = (pred - target) ** 2
    out = {"mse": err.mean()}
    if with_stats:
        out["worst"] = err.max()
        out["where"] = err.argmax()
    return out


p, t = jnp.array([1.0, 2.0, 5.0]), jnp.array([0.0, 2.0, 1.0])

FUNCTION = "evaluate"
CALLS = [((p, t, True), {}), ((p, t, False), {}), ((p[:2], t[:2]), {"with_stats": True})]
KIND = "static+rewrite"
STATIC = [("with_stats",)]
FIXED = "evaluate_fixed"
FIXED_STATIC = ("with_stats",)
SITES = ["if with_stats:", 'out["worst"] = float(err.max())', 'out["where"] = int(err.argmax())']
CATEGORY = "static and rewrite"
