"""`mask == None` and `weights is not None` on arrays, `print` and bare f-strings of tracers: they trace and are right."""

import jax.numpy as jnp


def masked_loss(pred, target, mask=None, weights=None):
    err = (pred - target) ** 2
    if mask == None:  # noqa: E711
        mask = jnp.ones_like(err)
    if weights is not None:
        mask = mask * weights
    note = f"loss over {err.shape} with {mask}"
    print(note, pred)
    return (mask * err).sum() / mask.sum()


p, t = jnp.array([1.0, 2.0]), jnp.array([0.0, 4.0])

FUNCTION = "masked_loss"
CALLS = [((p, t), {}), ((p, t), {"weights": 2.0}), ((p, t), {"weights": jnp.array([1.0, 3.0])})]
KIND = "traces"
CATEGORY = "sentinel"
