"""`if not x < limit` holds for NaN, where `x >= limit` does not: turning the comparison round is wrong."""

import jax.numpy as jnp


def guard_loss(loss, limit):
    replaced = 0
    if not loss < limit:
        loss = limit
        replaced = 1
    return loss, replaced


def guard_loss_fixed(loss, limit):
    bad = ~(loss < limit)
    return jnp.where(bad, limit, loss), jnp.where(bad, 1, 0)


FUNCTION = "guard_loss"
CALLS = [((jnp.array(v), 10.0), {}) for v in (3.0, 50.0, jnp.nan)] + [((jnp.array(-jnp.inf), jnp.array(0.0)), {})]
KIND = "rewrite"
FIXED = "guard_loss_fixed"
SITES = ["if not loss < limit:"]
CATEGORY = "nan"
