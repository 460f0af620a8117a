"""sum(1 for ... if ...) and a filtering comprehension ask every element for its truth. The builtin sum alone would be fine."""

import jax.numpy as jnp


def loss_summary(losses, limit):
    n_bad = sum(1 for v in losses if v > limit)
    gain = sum([v for v in losses if v <= limit])
    return n_bad, gain, n_bad / len(losses)


def loss_summary_fixed(losses, limit):
    bad = losses > limit
    return bad.sum(), jnp.where(bad, 0.0, losses).sum(), bad.mean()


FUNCTION = "loss_summary"
CALLS = [
    ((jnp.array([1.0, 5.0, 2.0, 9.0]), 3.0), {}),
    ((jnp.array([1.0, 5.0, 2.0, 9.0]), jnp.array(0.0)), {}),
    ((jnp.array([-1.0]), jnp.array(0.5)), {}),
]
KIND = "rewrite"
FIXED = "loss_summary_fixed"
SITES = ["n_bad = sum(1 for v in losses if v > limit)", "gain = sum([v for v in losses if v <= limit])"]
CATEGORY = "comprehension"
