"""A cross entropy of the labels that are not to be ignored; nothing to learn from is a loss of 0."""

import jax
import jax.numpy as jnp


def masked_loss(logits, labels, ignore_index=-100):
    valid = labels != ignore_index
    if valid.sum() == 0:
        return 0.0
    logits = logits[valid]
    labels = labels[valid]
    logp = jax.nn.log_softmax(logits)
    return -logp[jnp.arange(len(labels)), labels].mean()


def masked_loss_fixed(logits, labels, ignore_index=-100):
    valid = labels != ignore_index
    logp = jax.nn.log_softmax(logits)
    picked = logp[jnp.arange(len(labels)), jnp.where(valid, labels, 0)]
    return -jnp.where(valid, picked, 0.0).sum() / jnp.maximum(valid.sum(), 1)


L = jnp.array([[1.0, 0.2], [0.3, 2.0], [0.1, 0.4]])

FUNCTION = "masked_loss"
CALLS = [
    ((L, jnp.array([0, -100, 1])), {}),
    ((L, jnp.array([-100, -100, -100])), {}),
    ((L[:2], jnp.array([0, 1]), 1), {}),
    ((L, jnp.array([0, 0, 1])), {}),
]
KIND = "rewrite"
FIXED = "masked_loss_fixed"
SITES = ["if valid.sum() == 0:"]
CATEGORY = "shapes"
