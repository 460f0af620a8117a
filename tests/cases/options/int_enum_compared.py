"""An IntEnum member is an int to jit and so becomes a tracer; `==` asks for its truth. (With `is` it would trace and silently take the
other branch.) Static."""

import enum

import jax.numpy as jnp


class Side(enum.IntEnum):
    LEFT = 0
    RIGHT = 1
    BOTH = 2


def trim(x, side, drop):
    if side == Side.LEFT:
        return x[1:] - drop
    elif side == Side.RIGHT:
        return x[:-1] - drop
    return x[1:-1] - drop


x = jnp.arange(5.0)

FUNCTION = "trim"
CALLS = [((x, Side.RIGHT, 1.0), {}), ((x, Side.LEFT, jnp.array(0.5)), {}), ((x,), {"side": Side.BOTH, "drop": 0})]
KIND = "static"
STATIC = [("side",)]
SITES = ["if side == Side.LEFT:"]
CATEGORY = "enum"
