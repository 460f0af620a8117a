"""A method stores the last loss on self under jit; the second method reads it outside that trace: a leaked tracer. (The attribute is
written by another jitted call, so the plain call of this function fails too.)"""

import jax
import jax.numpy as jnp


class Trainer:
    def __init__(self):
        self.last_loss = 0.0

    def loss(self, w, x, y):
        self.last_loss = jnp.mean((x @ w - y) ** 2)
        return self.last_loss

    def step(self, w, x, y, lr):
        g = jax.grad(jax.jit(self.loss))(w, x, y)
        scale = jnp.minimum(1.0, 1.0 / (1.0 + self.last_loss))
        return w - lr * scale * g


FUNCTION = "Trainer().step"
CALLS = [((jnp.ones(2), jnp.eye(2), jnp.zeros(2), 0.1), {}), ((jnp.ones(2), jnp.eye(2), jnp.ones(2), 0.1), {})]
KIND = "not_staticness"
SITES = ["scale = jnp.minimum(1.0, 1.0 / (1.0 + self.last_loss))"]
CATEGORY = "leaked tracer"
