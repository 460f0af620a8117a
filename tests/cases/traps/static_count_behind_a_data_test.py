"""Both at once: the number of features sizes an array (static), and the early exit reads the data (rewrite). Either cure alone
only moves the failure to the other line."""

import jax.numpy as jnp


def fourier_features(x, n_features, bandwidth):
    freqs = jnp.arange(1, n_features + 1) / bandwidth
    phases = x[:, None] * freqs
    if jnp.max(jnp.abs(x)) > 10.0:
        phases = phases / jnp.max(jnp.abs(x))
    return jnp.concatenate([jnp.cos(phases), jnp.sin(phases)], axis=1)


def fourier_features_fixed(x, n_features, bandwidth):
    freqs = jnp.arange(1, n_features + 1) / bandwidth
    top = jnp.max(jnp.abs(x))
    phases = x[:, None] * freqs / jnp.where(top > 10.0, top, 1.0)
    return jnp.concatenate([jnp.cos(phases), jnp.sin(phases)], axis=1)


FUNCTION = "fourier_features"
CALLS = [
    ((jnp.array([0.1, 2.0]), 3, 1.0), {}),
    ((jnp.array([0.1, 20.0]), 3, 2.0), {}),
    ((jnp.array([-40.0, 20.0, 1.0]),), {"n_features": 2, "bandwidth": jnp.array(0.5)}),
]
KIND = "static+rewrite"
STATIC = [("n_features",)]
FIXED = "fourier_features_fixed"
FIXED_STATIC = ("n_features",)
SITES = ["freqs = jnp.arange(1, n_features + 1) / bandwidth", "if jnp.max(jnp.abs(x)) > 10.0:"]
CATEGORY = "static and rewrite"
