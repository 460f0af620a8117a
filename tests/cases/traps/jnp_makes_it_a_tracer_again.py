"""The size goes through jnp.ceil and int(): with `n` static jnp makes it a tracer again, so static alone is not enough; math.ceil
on the static number is."""

import math

import jax.numpy as jnp


def checkpoints(values, n, share):
    stride = int(jnp.ceil(jnp.sqrt(n)))
    return share * values[::stride].sum(), values[: n // 2] * share


def checkpoints_fixed(values, n, share):
    stride = math.ceil(math.sqrt(n))
    return share * values[::stride].sum(), values[: n // 2] * share


v = jnp.arange(10.0)

FUNCTION = "checkpoints"
CALLS = [((v, 9, 0.5), {}), ((v, 2, jnp.array(2.0)), {}), ((v[:4],), {"n": 4, "share": 1})]
KIND = "static+rewrite"
STATIC = [("n",)]
FIXED = "checkpoints_fixed"
FIXED_STATIC = ("n",)
SITES = ["stride = int(jnp.ceil(jnp.sqrt(n)))", "return share * values[::stride].sum(), values[: n // 2] * share"]
CATEGORY = "static and rewrite"
