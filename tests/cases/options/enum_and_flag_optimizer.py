"""An IntEnum-free Enum for the optimiser and a flag for Nesterov. Enum members are refused as data, the bool fails at the `if`."""

import enum

import jax.numpy as jnp


class Rule(enum.Enum):
    SGD = 0
    MOMENTUM = 1
    RMSPROP = 2


def update(w, g, buf, rule, nesterov, lr, beta=0.9):
    if rule is Rule.SGD:
        return w - lr * g, buf
    if rule is Rule.RMSPROP:
        buf = beta * buf + (1 - beta) * g**2
        return w - lr * g / (jnp.sqrt(buf) + 1e-8), buf
    buf = beta * buf + g
    direction = g + beta * buf if nesterov else buf
    return w - lr * direction, buf


w, g = jnp.array([1.0, -1.0]), jnp.array([0.5, 2.0])

FUNCTION = "update"
CALLS = [
    ((w, g, g, Rule.MOMENTUM, True, 0.1), {}),
    ((w, g, g, Rule.MOMENTUM, False, jnp.array(0.2)), {}),
    ((w, g, g, Rule.RMSPROP), {"nesterov": False, "lr": 0.1, "beta": 0.5}),
]
KIND = "static"
STATIC = [("rule", "nesterov")]
SITES = ["if rule is Rule.SGD:", "direction = g + beta * buf if nesterov else buf"]
CATEGORY = "enum"
