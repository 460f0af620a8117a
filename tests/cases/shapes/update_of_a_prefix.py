"""x.at[:n].set(0) and x[n:] with n as data: slices whose bounds are traced, in an update and in a sum; masks do both."""

import jax.numpy as jnp


def burn_in(chain, n_warm):
    marked = chain.at[:n_warm].set(0.0)
    return marked, chain[n_warm:].sum()


def burn_in_fixed(chain, n_warm):
    warm = jnp.arange(chain.shape[0]) < n_warm
    marked = jnp.where(warm, 0.0, chain)
    return marked, marked.sum()


c = jnp.array([5.0, 1.0, 2.0, 8.0])

FUNCTION = "burn_in"
CALLS = [((c, jnp.int32(2)), {}), ((c, jnp.int32(0)), {}), ((c * 2, jnp.int32(4)), {})]
KIND = "rewrite"
FIXED = "burn_in_fixed"
SITES = ["marked = chain.at[:n_warm].set(0.0)", "return marked, chain[n_warm:].sum()"]
CATEGORY = "dynamic slice"
