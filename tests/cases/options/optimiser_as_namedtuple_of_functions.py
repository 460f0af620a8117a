"""An optimiser in the way of optax: a NamedTuple of functions, refused as data and hashable as a whole."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp


class Optimiser(NamedTuple):
    init: Callable
    update: Callable


def sgd(rate):
    return Optimiser(lambda p: (), lambda g, s: (jax.tree.map(lambda g: -rate * g, g), s))


def train_step(optimiser, params, state, batch):
    grads = jax.grad(lambda p: ((batch @ p) ** 2).mean())(params)
    change, state = optimiser.update(grads, state)
    return params + change, state


SGD = sgd(0.1)
FUNCTION = "train_step"
CALLS = [((SGD, jnp.ones(2), (), jnp.ones((3, 2))), {}), ((SGD, jnp.zeros(2), (), jnp.ones((3, 2))), {})]
KIND = "static"
STATIC = [("optimiser",)]
SITES = ["change, state = optimiser.update(grads, state)"]
CATEGORY = "callables in a tuple"
