"""A power series summed until the term is small; the term, the sum and the index all live on after a round."""

import jax.numpy as jnp
from jax import lax


def bessel_j0(x, tol=1e-6):
    """Series of the Bessel function J0, with the number of terms used."""
    term = 1.0
    total = 1.0
    k = 0
    while abs(term) > tol:
        k += 1
        term = -term * (x / 2) ** 2 / k**2
        total += term
    return total, k


def bessel_j0_fixed(x, tol=1e-6):
    def body(state):
        term, total, k = state
        k = k + 1
        term = -term * (x / 2) ** 2 / k**2
        return term, total + term, k

    _, total, k = lax.while_loop(lambda s: jnp.abs(s[0]) > tol, body, (jnp.ones(()), jnp.ones(()), 0))
    return total, k


FUNCTION = "bessel_j0"
CALLS = [((jnp.float32(1.3),), {}), ((jnp.float32(0.0),), {}), ((jnp.float32(3.0), 1e-2), {}), ((jnp.float32(-2.0), 5.0), {})]
KIND = "rewrite"
FIXED = "bessel_j0_fixed"
SITES = ["while abs(term) > tol:"]
CATEGORY = "while"
