"""The step keeps a loss in a module list and reads the list on the next trace: a tracer of the first trace leaks into the second.
No argument is to blame; the list must go."""

import jax
import jax.numpy as jnp

history = []


def train_step(w, x, y, lr):
    loss = jnp.mean((x @ w - y) ** 2)
    history.append(loss)
    trend = history[-1] - history[0]
    w = w - lr * 2 * x.T @ (x @ w - y) / len(y)
    return w, loss, trend


def two_epochs(w, x, y, lr):
    w, _, _ = jax.jit(train_step)(w, x, y, lr)
    w, _, trend = jax.jit(train_step)(w, x[:1], y[:1], lr)
    return w, trend


FUNCTION = "two_epochs"
CALLS = [((jnp.ones(2), jnp.eye(2), jnp.zeros(2), 0.1), {})]
KIND = "not_staticness"
SITES = ["trend = history[-1] - history[0]"]
CATEGORY = "leaked tracer"
