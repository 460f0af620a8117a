"""A bounded for loop with a break; the loop variable is used after the loop, so the rewrite has to carry it."""

import jax.numpy as jnp
from jax import lax


def dominant_eigenpair(A, v, tol):
    lam = 0.0
    for k in range(25):
        w = A @ v
        new = v @ w
        v = w / jnp.linalg.norm(w)
        if jnp.abs(new - lam) < tol:
            break
        lam = new
    return lam, v, k


def dominant_eigenpair_fixed(A, v, tol):
    def body(state):
        lam, v, k, _ = state
        w = A @ v
        new = v @ w
        done = jnp.abs(new - lam) < tol
        return jnp.where(done, lam, new), w / jnp.linalg.norm(w), k + 1, done

    start = (jnp.zeros(()), v, -1, False)
    lam, v, k, _ = lax.while_loop(lambda s: ~s[3] & (s[2] < 24), body, start)
    return lam, v, k


A2 = jnp.array([[2.0, 1.0], [1.0, 3.0]])

FUNCTION = "dominant_eigenpair"
CALLS = [
    ((A2, jnp.array([1.0, 0.0]), 1e-3), {}),
    ((A2, jnp.array([1.0, 0.0]), jnp.array(10.0)), {}),
    ((A2 * 2, jnp.array([0.6, 0.8]), jnp.array(-1.0)), {}),
    ((jnp.diag(jnp.array([1.0, 0.5, 0.1])), jnp.ones(3) / 3**0.5), {"tol": 1e-2}),
]
KIND = "rewrite"
FIXED = "dominant_eigenpair_fixed"
SITES = ["if jnp.abs(new - lam) < tol:"]
CATEGORY = "break"
