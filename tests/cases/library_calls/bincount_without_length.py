"""jnp.bincount without a length: the number of bins is the largest value plus one, which is data. The histogram is read at the
given words only, so a length from the vocabulary's shape does."""

import jax.numpy as jnp


def idf_weights(documents, vocabulary):
    counts = jnp.bincount(documents.ravel())
    return jnp.log(documents.size / (1.0 + counts[documents])), vocabulary[documents]


def idf_weights_fixed(documents, vocabulary):
    counts = jnp.bincount(documents.ravel(), length=vocabulary.shape[0])
    return jnp.log(documents.size / (1.0 + counts[documents])), vocabulary[documents]


vocab = jnp.arange(6.0) * 10

FUNCTION = "idf_weights"
CALLS = [
    ((jnp.array([[0, 1, 1], [4, 1, 0]]), vocab), {}),
    ((jnp.array([[5, 5, 5]]), vocab), {}),
    ((jnp.array([[0, 0]]), vocab), {}),
]
KIND = "rewrite"
FIXED = "idf_weights_fixed"
SITES = ["counts = jnp.bincount(documents.ravel())"]
CATEGORY = "data-dependent length"
