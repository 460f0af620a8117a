"""Masks used as arithmetic: `where`, boolean sums, `at[...].set` with a mask, clip and argmax. All right as it is."""

import jax.numpy as jnp


def winsorize(x, z_max):
    mu, sd = x.mean(), x.std()
    z = (x - mu) / sd
    outlier = abs(z) > z_max
    kept = jnp.where(outlier, mu + sd * z_max * jnp.sign(z), x)
    worst = jnp.argmax(abs(z))
    return kept.at[worst].set(mu), outlier.sum(), x[worst], -z[worst] if z.size else 0.0


FUNCTION = "winsorize"
CALLS = [
    ((jnp.array([1.0, 2.0, 30.0, 2.5]), 1.2), {}),
    ((jnp.array([1.0, 2.0]),), {"z_max": 5}),
    ((jnp.arange(5.0), jnp.array(0.5)), {}),
]
KIND = "traces"
CATEGORY = "where"
