"""A traced integer used as an index of a jax array, in at[].set, in fold_in, in roll and in take: all allowed."""

import jax
import jax.numpy as jnp


def replay_sample(buffer, key, cursor, new):
    buffer = buffer.at[cursor % buffer.shape[0]].set(new)
    key = jax.random.fold_in(key, cursor)
    pick = jax.random.randint(key, (2,), 0, buffer.shape[0])
    newest_first = jnp.roll(buffer[::-1], cursor + 1, axis=0)
    return buffer, buffer[pick], newest_first[cursor % 2], jnp.take(buffer, cursor, axis=0, mode="clip")


buf = jnp.arange(8.0).reshape(4, 2)

FUNCTION = "replay_sample"
CALLS = [
    ((buf, jax.random.key(0), 1, jnp.array([9.0, 9.0])), {}),
    ((buf, jax.random.key(1), 7, 0.0), {}),
    ((buf, jax.random.key(2)), {"cursor": jnp.int32(2), "new": 1.0}),
]
KIND = "traces"
CATEGORY = "indexing"
