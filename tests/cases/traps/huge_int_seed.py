"""A 2**40 int is refused as an int32 before any line runs: OverflowError. Python may compute with it, so it is static; its
remainder was all that JAX needed."""

import jax.numpy as jnp

PRIME = 65_521


def feature_hash(ids, multiplier, n_buckets):
    m = multiplier % PRIME
    return (ids * (m % 1000) + m // 1000) % n_buckets


ids = jnp.array([3, 14, 159])

FUNCTION = "feature_hash"
CALLS = [
    ((ids, 2**40 + 12345, 16), {}),
    ((ids, 2**50 + 7, jnp.int32(8)), {}),
    ((ids[:1],), {"multiplier": 2**33, "n_buckets": 100}),
]
KIND = "static"
STATIC = [("multiplier",)]
SITES = ["m = multiplier % PRIME"]
CATEGORY = "overflow"
