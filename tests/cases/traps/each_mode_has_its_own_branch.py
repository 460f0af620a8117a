"""The mode is a string and must be static; each mode hides a branch on data of its own. A cure of this call's mode alone
would break on the next one."""

import jax.numpy as jnp


def pooled(x, mode, floor=0.0):
    if mode == "max":
        top = x.max()
        return top if top > floor else jnp.zeros_like(top)
    elif mode == "mean":
        total = x.sum()
        if total < floor:
            return -total / x.shape[0]
        return total / x.shape[0]
    else:
        raise ValueError(f"no such mode: {mode}")


def pooled_fixed(x, mode, floor=0.0):
    if mode == "max":
        return jnp.where(x.max() > floor, x.max(), 0.0)
    return jnp.where(x.sum() < floor, -x.sum(), x.sum()) / x.shape[0]


FUNCTION = "pooled"
CALLS = [
    ((jnp.array([1.0, 4.0]), "max"), {}),
    ((jnp.array([-1.0, -4.0]), "max"), {}),
    ((jnp.array([-1.0, -4.0]), "mean"), {}),
    ((jnp.array([1.0, 4.0, 2.0]), "mean"), {"floor": 1.0}),
]
KIND = "static+rewrite"
FIXED = "pooled_fixed"
FIXED_STATIC = ("mode",)
SITES = ['if mode == "max":', "return top if top > floor else jnp.zeros_like(top)"]
CATEGORY = "string option"
