"""A student's perceptron: the update and the count of mistakes stand under an if in a loop over the examples."""

import jax.numpy as jnp


def perceptron_epoch(w, b, X, y):
    mistakes = 0
    for xi, yi in zip(X, y):
        margin = yi * (jnp.dot(w, xi) + b)
        if margin <= 0:
            w = w + yi * xi
            b += yi
            mistakes += 1
    return w, b, mistakes


def perceptron_epoch_fixed(w, b, X, y):
    mistakes = 0
    for xi, yi in zip(X, y):
        wrong = yi * (jnp.dot(w, xi) + b) <= 0
        w = jnp.where(wrong, w + yi * xi, w)
        b = jnp.where(wrong, b + yi, b)
        mistakes = mistakes + wrong
    return w, b, mistakes


X = jnp.array([[1.0, 2.0], [-1.0, 0.5], [0.3, -2.0]])
y = jnp.array([1.0, -1.0, 1.0])

FUNCTION = "perceptron_epoch"
CALLS = [
    ((jnp.zeros(2), 0.0, X, y), {}),
    ((jnp.array([9.0, 0.1]), jnp.array(0.2), X, y), {}),
    ((jnp.ones(2), 0.0, X[:1], -y[:1]), {}),
]
KIND = "rewrite"
FIXED = "perceptron_epoch_fixed"
SITES = ["if margin <= 0:"]
CATEGORY = "real_world"
