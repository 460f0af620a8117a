"""The branch makes a temporary that nothing else reads, in a nested if; the names that live on have a value on both sides."""

import jax.numpy as jnp


def adapt_step(h, err, order, rejected):
    if err > 1.0:
        shrink = 0.9 * err ** (-1.0 / order)
        if shrink < 0.2:
            shrink = 0.2
        h = h * shrink
        rejected = rejected + 1
    else:
        grow = 0.9 * jnp.maximum(err, 1e-6) ** (-1.0 / (order + 1))
        h = h * jnp.minimum(grow, 5.0)
    return h, rejected


def adapt_step_fixed(h, err, order, rejected):
    reject = err > 1.0
    shrink = jnp.maximum(0.9 * jnp.where(reject, err, 1.0) ** (-1.0 / order), 0.2)
    grow = jnp.minimum(0.9 * jnp.maximum(err, 1e-6) ** (-1.0 / (order + 1)), 5.0)
    return h * jnp.where(reject, shrink, grow), rejected + jnp.where(reject, 1, 0)


FUNCTION = "adapt_step"
CALLS = [
    ((jnp.array(0.1), jnp.array(4.0), 2, 0), {}),
    ((jnp.array(0.1), jnp.array(900.0), 2, 0), {}),
    ((jnp.array(0.1), jnp.array(0.3), jnp.array(3), jnp.array(4)), {}),
    ((jnp.array(0.1), jnp.array(0.0), 1), {"rejected": 7}),
]
KIND = "rewrite"
FIXED = "adapt_step_fixed"
SITES = ["if err > 1.0:", "if shrink < 0.2:"]
CATEGORY = "nested if"
