"""jax.grad of a loss whose helper branches on the residual: grad traces the parameters, the data stay concrete in the plain call,
but the residual mixes both, so the plain call works (grad keeps values) and jit does not."""

import jax
import jax.numpy as jnp


def penalty(w, bound):
    size = jnp.sum(w**2)
    if size > bound:
        return (size - bound) ** 2
    return 0.0 * size


def step(w, x, y, bound, lr):
    loss = lambda w: jnp.mean((x @ w - y) ** 2) + penalty(w, bound)
    return w - lr * jax.grad(loss)(w)


def step_fixed(w, x, y, bound, lr):
    loss = lambda w: jnp.mean((x @ w - y) ** 2) + jnp.maximum(jnp.sum(w**2) - bound, 0.0) ** 2
    return w - lr * jax.grad(loss)(w)


x, y = jnp.array([[1.0, 2.0], [0.5, -1.0]]), jnp.array([1.0, 0.0])

FUNCTION = "step"
CALLS = [
    ((jnp.array([2.0, 1.0]), x, y, 1.0, 0.1), {}),
    ((jnp.array([0.2, 0.1]), x, y, 1.0, 0.1), {}),
    ((jnp.zeros(2), x, y), {"bound": 0.5, "lr": 1.0}),
]
KIND = "rewrite"
FIXED = "step_fixed"
SITES = ["if size > bound:"]
CATEGORY = "grad body"
