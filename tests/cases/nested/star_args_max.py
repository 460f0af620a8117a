"""*args of numbers and a keyword in **kwargs, both data, in Python's max and an if: no names to make static, nothing to make static."""

import jax.numpy as jnp


def worst_loss(*losses, **options):
    worst = max(losses)
    if worst > options["limit"]:
        worst = options["limit"]
    return worst / len(losses)


def worst_loss_fixed(*losses, **options):
    worst = jnp.max(jnp.stack([jnp.asarray(v) for v in losses]))
    return jnp.minimum(worst, options["limit"]) / len(losses)


FUNCTION = "worst_loss"
CALLS = [
    ((jnp.array(1.0), jnp.array(3.0), jnp.array(2.0)), {"limit": jnp.array(2.5)}),
    ((jnp.array(1.0), jnp.array(0.0)), {"limit": jnp.array(9.0)}),
    ((jnp.array(-4.0),), {"limit": -5.0}),
]
KIND = "rewrite"
FIXED = "worst_loss_fixed"
SITES = ["worst = max(losses)", 'if worst > options["limit"]:']
CATEGORY = "*args"
