"""A learning-rate schedule as an elif chain over the step. The step is a counter; it comes as an array out of the optimiser's
state, so no static argument is possible. The lengths of the phases are only compared."""

import jax.numpy as jnp


def learning_rate(step, peak, warmup, total):
    if step < warmup:
        lr = peak * (step + 1) / warmup
    elif step < total:
        progress = (step - warmup) / (total - warmup)
        lr = 0.5 * peak * (1.0 + jnp.cos(jnp.pi * progress))
    else:
        lr = 0.0
    return lr


def learning_rate_fixed(step, peak, warmup, total):
    rising = peak * (step + 1) / warmup
    falling = 0.5 * peak * (1.0 + jnp.cos(jnp.pi * (step - warmup) / (total - warmup)))
    return jnp.where(step < warmup, rising, jnp.where(step < total, falling, 0.0))


FUNCTION = "learning_rate"
CALLS = [
    ((jnp.int32(3), 0.1, 10, 100), {}),
    ((jnp.int32(40), 0.1, 10, 100), {}),
    ((jnp.int32(250), 0.1, 10, 100), {}),
    ((jnp.int32(10), 0.3, 10), {"total": 20}),
]
KIND = "rewrite"
FIXED = "learning_rate_fixed"
SITES = ["if step < warmup:", "elif step < total:"]
CATEGORY = "elif"
