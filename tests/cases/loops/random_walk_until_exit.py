"""First-passage time of a random walk: the key is split in the loop, position and count are carried, two bounds in one condition."""

import jax
import jax.numpy as jnp
from jax import lax


def exit_time(key, x, low, high):
    steps = 0
    while low < x < high and steps < 200:
        key, sub = jax.random.split(key)
        x = x + jax.random.normal(sub)
        steps += 1
    return steps, x


def exit_time_fixed(key, x, low, high):
    def body(s):
        key, x, steps = s
        key, sub = jax.random.split(key)
        return key, x + jax.random.normal(sub), steps + 1

    inside = lambda s: (low < s[1]) & (s[1] < high) & (s[2] < 200)
    _, x, steps = lax.while_loop(inside, body, (key, jnp.asarray(x), 0))
    return steps, x


FUNCTION = "exit_time"
CALLS = [
    ((jax.random.key(0), jnp.array(0.5), -1.0, 2.0), {}),
    ((jax.random.key(1), jnp.array(5.0), -1.0, jnp.array(2.0)), {}),
    ((jax.random.key(2), jnp.array(0.0), jnp.array(-3.0), 3.0), {}),
]
KIND = "rewrite"
FIXED = "exit_time_fixed"
SITES = ["while low < x < high and steps < 200:"]
CATEGORY = "while"
