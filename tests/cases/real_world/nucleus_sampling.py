"""Top-p sampling: the size of the nucleus is computed from the probabilities with int() and used in a slice. It is data twice
over; a mask over the sorted tokens is the cure."""

import jax
import jax.numpy as jnp


def nucleus_sample(key, logits, top_p):
    order = jnp.argsort(-logits)
    probs = jax.nn.softmax(logits)[order]
    n_keep = int((jnp.cumsum(probs) < top_p).sum()) + 1
    kept = probs[:n_keep]
    u = jax.random.uniform(key) * kept.sum()
    return order[jnp.searchsorted(jnp.cumsum(kept), u)], n_keep


def nucleus_sample_fixed(key, logits, top_p):
    order = jnp.argsort(-logits)
    probs = jax.nn.softmax(logits)[order]
    n_keep = (jnp.cumsum(probs) < top_p).sum() + 1
    kept = jnp.where(jnp.arange(probs.shape[0]) < n_keep, probs, 0.0)
    u = jax.random.uniform(key) * kept.sum()
    return order[jnp.searchsorted(jnp.cumsum(kept), u)], n_keep


logits = jnp.array([0.1, 3.0, 1.0, -2.0, 2.0])

FUNCTION = "nucleus_sample"
CALLS = [
    ((jax.random.key(0), logits, 0.8), {}),
    ((jax.random.key(1), logits, jnp.array(0.1)), {}),
    ((jax.random.key(2), -logits, jnp.array(0.99)), {}),
    ((jax.random.key(3), logits[:3]), {"top_p": 0.5}),
]
KIND = "rewrite"
FIXED = "nucleus_sample_fixed"
SITES = ["n_keep = int((jnp.cumsum(probs) < top_p).sum()) + 1", "kept = probs[:n_keep]"]
CATEGORY = "real_world"
