"""Hamiltonian Monte Carlo with a loop of L leapfrog steps, an int of the sampler's settings: static serves, and as the body is the same
each time a fori_loop would as well (ALSO)."""

import jax
import jax.numpy as jnp


def potential(q):
    return 0.5 * jnp.sum(q**2) + 0.1 * jnp.sum(q**4)


def hmc_proposal(key, q, eps, L):
    p = jax.random.normal(key, q.shape)
    start = potential(q) + 0.5 * p @ p
    p = p - 0.5 * eps * jax.grad(potential)(q)
    for _ in range(L):
        q = q + eps * p
        p = p - eps * jax.grad(potential)(q)
    p = p + 0.5 * eps * jax.grad(potential)(q)
    return q, jnp.minimum(0.0, start - potential(q) - 0.5 * p @ p)


FUNCTION = "hmc_proposal"
CALLS = [
    ((jax.random.key(0), jnp.array([1.0, -1.0]), 0.1, 3), {}),
    ((jax.random.key(1), jnp.array([1.0, -1.0]), jnp.array(0.05), 3), {}),
    ((jax.random.key(0), jnp.zeros(3)), {"eps": 0.2, "L": 1}),
]
KIND = "static"
STATIC = [("L",)]
ALSO = ("rewrite",)
SITES = ["for _ in range(L):"]
CATEGORY = "range"
