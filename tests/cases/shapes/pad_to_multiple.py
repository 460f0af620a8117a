"""The padded length is computed from a shape and an argument; the argument is static, jnp.pad wants plain ints."""

import jax.numpy as jnp


def pad_to_multiple(tokens, multiple, pad_id):
    short = -tokens.shape[-1] % multiple
    return jnp.pad(tokens, ((0, 0), (0, short)), constant_values=pad_id)


ids = jnp.arange(10).reshape(2, 5)

FUNCTION = "pad_to_multiple"
CALLS = [((ids, 4, 0), {}), ((ids, 5, jnp.int32(9)), {}), ((ids[:1],), {"multiple": 3, "pad_id": -1})]
KIND = "static"
STATIC = [("multiple",)]
SITES = ["return jnp.pad(tokens, ((0, 0), (0, short)), constant_values=pad_id)"]
CATEGORY = "shape"
