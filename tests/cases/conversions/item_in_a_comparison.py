""".item() in a condition and in a returned dict: dropping it leaves a traced condition, so the line needs two changes."""

import jax.numpy as jnp


def early_exit(logits, threshold):
    confidence = jnp.max(logits).item()
    if confidence > threshold:
        label = jnp.argmax(logits).item()
    else:
        label = -1
    return {"label": label, "confidence": confidence}


def early_exit_fixed(logits, threshold):
    confidence = jnp.max(logits)
    return {"label": jnp.where(confidence > threshold, jnp.argmax(logits), -1), "confidence": confidence}


L = jnp.array([0.1, 0.7, 0.2])

FUNCTION = "early_exit"
CALLS = [((L, 0.5), {}), ((L, jnp.array(0.9)), {}), ((L[::-1], jnp.array(0.1)), {})]
KIND = "rewrite"
FIXED = "early_exit_fixed"
SITES = ["confidence = jnp.max(logits).item()", "if confidence > threshold:", "label = jnp.argmax(logits).item()"]
CATEGORY = "item"
