"""One beam step that ranks candidates with sorted(range(n), key=...): comparisons of tracers inside Python's sort."""

import jax.numpy as jnp

BEAM = 2


def beam_step(scores, tokens, log_probs):
    total = scores + log_probs
    order = sorted(range(total.shape[0]), key=lambda i: -total[i])
    best = order[:BEAM]
    return jnp.stack([total[i] for i in best]), jnp.stack([tokens[i] for i in best])


def beam_step_fixed(scores, tokens, log_probs):
    total = scores + log_probs
    best = jnp.argsort(-total, stable=True)[:BEAM]
    return total[best], tokens[best]


s = jnp.array([-1.0, -0.5, -3.0, -0.7])

FUNCTION = "beam_step"
CALLS = [
    ((s, jnp.array([5, 6, 7, 8]), s[::-1]), {}),
    ((s, jnp.array([5, 6, 7, 8]), -s), {}),
    ((s[:3], jnp.arange(3), s[1:]), {}),
]
KIND = "rewrite"
FIXED = "beam_step_fixed"
SITES = ["order = sorted(range(total.shape[0]), key=lambda i: -total[i])"]
CATEGORY = "real_world"
