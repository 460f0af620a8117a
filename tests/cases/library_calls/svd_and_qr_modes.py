"""full_matrices, compute_uv and qr's mode are options of the library; the tolerance is data and only masks."""

import jax.numpy as jnp


def low_rank(A, full, mode, tol):
    u, s, vt = jnp.linalg.svd(A, full_matrices=full)
    kept = jnp.where(s > tol, s, 0.0)
    r = jnp.linalg.qr(A, mode=mode)
    r = r[1] if isinstance(r, tuple) else r
    return (u[:, : s.shape[0]] * kept) @ vt[: s.shape[0]], jnp.abs(r), jnp.asarray(u.shape[1])


A = jnp.array([[2.0, 0.0], [0.0, 0.1], [1.0, 1.0]])

FUNCTION = "low_rank"
CALLS = [
    ((A, False, "r", 0.5), {}),
    ((A, True, "reduced", jnp.array(0.0)), {}),
    ((A[:2],), {"full": False, "mode": "complete", "tol": 1.0}),
]
KIND = "static"
STATIC = [("full", "mode")]
SITES = ["u, s, vt = jnp.linalg.svd(A, full_matrices=full)", "r = jnp.linalg.qr(A, mode=mode)"]
CATEGORY = "static in jax"
