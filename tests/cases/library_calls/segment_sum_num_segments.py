"""Message passing: the number of nodes sizes the aggregate, once by segment_sum and once by bincount."""

import jax
import jax.numpy as jnp


def mean_aggregate(messages, receivers, n_nodes, self_weight):
    total = jax.ops.segment_sum(messages, receivers, num_segments=n_nodes)
    degree = jnp.bincount(receivers, length=n_nodes)
    return total / jnp.maximum(degree, 1)[:, None] * (1.0 - self_weight)


M = jnp.arange(8.0).reshape(4, 2)

FUNCTION = "mean_aggregate"
CALLS = [
    ((M, jnp.array([0, 0, 2, 1]), 3, 0.1), {}),
    ((M, jnp.array([0, 0, 2, 1]), 5, jnp.array(0.5)), {}),
    ((M[:2], jnp.array([1, 1])), {"n_nodes": 2, "self_weight": 0}),
]
KIND = "static"
STATIC = [("n_nodes",)]
SITES = [
    "total = jax.ops.segment_sum(messages, receivers, num_segments=n_nodes)",
    "degree = jnp.bincount(receivers, length=n_nodes)",
]
CATEGORY = "segment_sum"
