"""`match` on the agent's action: every `case` with a literal asks `action == 0` for its truth. The action was sampled, so it is
data, and lax.switch (or a table of moves) is the cure."""

import jax.numpy as jnp


def move(position, action, size):
    row, col = position
    match action:
        case 0:
            row = row - 1
        case 1:
            row = row + 1
        case 2:
            col = col - 1
        case _:
            col = col + 1
    return jnp.clip(row, 0, size - 1), jnp.clip(col, 0, size - 1)


def move_fixed(position, action, size):
    rows, cols = jnp.array([-1, 1, 0, 0]), jnp.array([0, 0, -1, 1])
    k = jnp.where((action >= 0) & (action <= 2), action, 3)
    row, col = position[0] + rows[k], position[1] + cols[k]
    return jnp.clip(row, 0, size - 1), jnp.clip(col, 0, size - 1)


here = (jnp.int32(2), jnp.int32(0))

FUNCTION = "move"
CALLS = [((here, jnp.int32(a), 4), {}) for a in (1, 0, 2, 3)] + [((here, jnp.int32(9)), {"size": 3})]
KIND = "rewrite"
FIXED = "move_fixed"
SITES = ["case 0:", "case 1:"]
CATEGORY = "match"
