"""The loss is handed over as a function and a reduction as a string: both are refused before any line runs, one at a time."""

import jax
import jax.numpy as jnp


def fit_step(w, X, y, loss, reduction, lr):
    def total(w):
        values = loss(X @ w, y)
        return values.mean() if reduction == "mean" else values.sum()

    return w - lr * jax.grad(total)(w)


def squared(p, y):
    return (p - y) ** 2


def logistic(p, y):
    return jnp.log1p(jnp.exp(-y * p))


X, y = jnp.array([[1.0, 2.0], [0.0, -1.0]]), jnp.array([1.0, -1.0])

FUNCTION = "fit_step"
CALLS = [
    ((jnp.zeros(2), X, y, squared, "mean", 0.1), {}),
    ((jnp.ones(2), X, y, logistic, "sum"), {"lr": jnp.array(0.5)}),
    ((jnp.ones(2), X, y), {"loss": squared, "reduction": "sum", "lr": 1}),
]
KIND = "static"
STATIC = [("loss", "reduction")]
SITES = ["values = loss(X @ w, y)", 'return values.mean() if reduction == "mean" else values.sum()']
CATEGORY = "callable"
