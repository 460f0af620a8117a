"""Both branches append to one list: the list grows by one whatever the test says, so only the item is a choice."""

import jax.numpy as jnp


def fold_path(steps, wall):
    position, path = 0.0, []
    for step in steps:
        position = position + step
        if position > wall:
            position = 2 * wall - position
            path.append(-position)
        elif position < 0:
            path.append(0.0)
        else:
            path.append(position)
    return jnp.array(path)


def fold_path_fixed(steps, wall):
    position, path = 0.0, []
    for step in steps:
        position = position + step
        over = position > wall
        position = jnp.where(over, 2 * wall - position, position)
        path.append(jnp.where(over, -position, jnp.where(position < 0, 0.0, position)))
    return jnp.array(path)


FUNCTION = "fold_path"
CALLS = [
    ((jnp.array([1.0, 2.0, -4.0]), 2.5), {}),
    ((jnp.array([1.0, 0.5]), 9.0), {}),
    ((jnp.array([-1.0]), 9.0), {}),
]
KIND = "rewrite"
FIXED = "fold_path_fixed"
SITES = ["if position > wall:", "elif position < 0:"]
CATEGORY = "append"
