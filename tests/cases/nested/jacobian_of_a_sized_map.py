"""jacfwd over a closure with the size from the outer signature, and a scan inside it."""

import jax
import jax.numpy as jnp
from jax import lax


def sensitivity(theta, n_steps, h):
    def flow(th):
        def body(y, _):
            y = y + h * (th[0] - th[1] * y)
            return y, y

        return lax.scan(body, jnp.zeros(()), None, length=n_steps)[1]

    return jax.jacfwd(flow)(theta)


FUNCTION = "sensitivity"
CALLS = [
    ((jnp.array([1.0, 0.5]), 3, 0.1), {}),
    ((jnp.array([2.0, 0.0]), 5, jnp.array(0.2)), {}),
    ((jnp.array([1.0, 1.0]),), {"n_steps": 1, "h": 1.0}),
]
KIND = "static"
STATIC = [("n_steps",)]
SITES = ["return lax.scan(body, jnp.zeros(()), None, length=n_steps)[1]"]
CATEGORY = "scan"
