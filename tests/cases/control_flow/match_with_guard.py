"""match with an or-pattern, a guard and a capture on a traced int: literals and the guard all ask for a truth value."""

import jax.numpy as jnp


def fee(amount, tier):
    match tier:
        case 0 | 1:
            return 0.02 * amount
        case t if t > 5:
            return 0.001 * amount
        case _:
            return 0.01 * amount


def fee_fixed(amount, tier):
    low = (tier == 0) | (tier == 1)
    return amount * jnp.where(low, 0.02, jnp.where(tier > 5, 0.001, 0.01))


FUNCTION = "fee"
CALLS = [((jnp.array(100.0), jnp.int32(t)), {}) for t in (7, 0, 1, 3)]
KIND = "rewrite"
FIXED = "fee_fixed"
SITES = ["case 0 | 1:", "case t if t > 5:"]
CATEGORY = "match"
