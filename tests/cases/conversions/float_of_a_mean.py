"""float() and int() put around reductions for tidiness. They are not needed: the array does the same arithmetic."""

import jax.numpy as jnp


def accuracy_report(logits, labels):
    predicted = jnp.argmax(logits, axis=-1)
    correct = int((predicted == labels).sum())
    acc = float(jnp.mean(predicted == labels))
    return {"correct": correct, "accuracy": acc, "error": 1.0 - acc}


def accuracy_report_fixed(logits, labels):
    predicted = jnp.argmax(logits, axis=-1)
    acc = jnp.mean(predicted == labels)
    return {"correct": (predicted == labels).sum(), "accuracy": acc, "error": 1.0 - acc}


L = jnp.array([[2.0, 0.0], [0.0, 1.0], [3.0, 4.0]])

FUNCTION = "accuracy_report"
CALLS = [((L, jnp.array([0, 1, 0])), {}), ((L, jnp.array([1, 0, 0])), {}), ((L[:1], jnp.array([0])), {})]
KIND = "rewrite"
FIXED = "accuracy_report_fixed"
SITES = ["correct = int((predicted == labels).sum())", "acc = float(jnp.mean(predicted == labels))"]
CATEGORY = "float() and int()"
