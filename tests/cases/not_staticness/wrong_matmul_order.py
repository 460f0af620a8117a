"""A Kalman update with the gain on the wrong side: the inner dimensions do not fit, whatever the two numbers are."""

import jax.numpy as jnp


def update(mean, cov, H, z, r, joseph):
    S = H @ cov @ H.T + r * jnp.eye(H.shape[0])
    K = jnp.linalg.solve(S, H @ cov)
    mean = mean + K @ (z - H @ mean)
    return mean, cov - joseph * K @ H @ cov


FUNCTION = "update"
CALLS = [
    ((jnp.zeros(3), jnp.eye(3), jnp.ones((2, 3)), jnp.ones(2), 0.1, 1), {}),
    ((jnp.zeros(4), jnp.eye(4), jnp.ones((2, 4)), jnp.ones(2), 1, 0), {}),
]
KIND = "not_staticness"
SITES = ["mean = mean + K @ (z - H @ mean)"]
CATEGORY = "shape mismatch"
