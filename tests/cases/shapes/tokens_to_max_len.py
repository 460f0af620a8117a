"""Truncating and padding token ids to max_len with an optional end token: max_len is a size, the ids are data."""

import jax.numpy as jnp


def to_fixed_length(ids, max_len, pad_id, eos_id=None):
    ids = ids[: max_len - 1] if eos_id is not None else ids[:max_len]
    if eos_id is not None:
        ids = jnp.append(ids, eos_id)
    out = jnp.full(max_len, pad_id)
    return out.at[: ids.shape[0]].set(ids)


ids = jnp.array([7, 8, 9, 10])

FUNCTION = "to_fixed_length"
CALLS = [((ids, 6, 0), {}), ((ids, 3, 0), {"eos_id": 2}), ((ids, 2, jnp.int32(-1)), {})]
KIND = "static"
STATIC = [("max_len",)]
SITES = ["ids = ids[: max_len - 1] if eos_id is not None else ids[:max_len]", "out = jnp.full(max_len, pad_id)"]
CATEGORY = "tokenizer"
