"""k-means: a `while changed` with changed = bool(...) and a counter bound; the centres keep their shape. An empty cluster is guarded."""

import jax.numpy as jnp
from jax import lax


def assign(points, centres):
    return jnp.argmin(((points[:, None] - centres[None]) ** 2).sum(-1), axis=1)


def kmeans(points, centres):
    changed, rounds = True, 0
    while changed and rounds < 10:
        hot = assign(points, centres)[:, None] == jnp.arange(centres.shape[0])
        count = hot.sum(axis=0)[:, None]
        new = jnp.where(count > 0, hot.T.astype(points.dtype) @ points / jnp.maximum(count, 1), centres)
        changed = bool(jnp.any(new != centres))
        centres = new
        rounds += 1
    return centres, rounds


def kmeans_fixed(points, centres):
    def body(state):
        centres, _, rounds = state
        hot = assign(points, centres)[:, None] == jnp.arange(centres.shape[0])
        count = hot.sum(axis=0)[:, None]
        new = jnp.where(count > 0, hot.T.astype(points.dtype) @ points / jnp.maximum(count, 1), centres)
        return new, jnp.any(new != centres), rounds + 1

    centres, _, rounds = lax.while_loop(lambda s: s[1] & (s[2] < 10), body, (centres, jnp.array(True), 0))
    return centres, rounds


pts = jnp.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [6.0, 5.0]])

FUNCTION = "kmeans"
CALLS = [
    ((pts, pts[:2]), {}),
    ((pts, jnp.array([[0.0, 0.5], [5.5, 5.0]])), {}),
    ((pts, jnp.array([[0.0, 0.0], [99.0, 99.0], [6.0, 6.0]])), {}),
]
KIND = "rewrite"
FIXED = "kmeans_fixed"
SITES = ["changed = bool(jnp.any(new != centres))"]
CATEGORY = "real_world"
