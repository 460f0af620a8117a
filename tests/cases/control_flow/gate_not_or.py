"""`not`, `or` and a chained comparison in one condition: three different ways to ask for a truth value. The measurement is data."""

import jax.numpy as jnp


def kalman_gate(mean, var, z, noise, gate):
    innovation = z - mean
    s = var + noise
    if not jnp.isfinite(z) or not -gate < innovation / jnp.sqrt(s) < gate:
        return mean, var  # an outlier or a lost reading: keep the prediction
    gain = var / s
    return mean + gain * innovation, (1.0 - gain) * var


def kalman_gate_fixed(mean, var, z, noise, gate):
    lost = ~jnp.isfinite(z)
    innovation = jnp.where(lost, 0.0, z - mean)
    s = var + noise
    score = innovation / jnp.sqrt(s)
    skip = lost | ~((-gate < score) & (score < gate))
    gain = jnp.where(skip, 0.0, var / s)
    return mean + gain * innovation, (1.0 - gain) * var


FUNCTION = "kalman_gate"
CALLS = [
    ((jnp.array(1.0), jnp.array(0.5), jnp.array(1.4), 0.2, 3.0), {}),
    ((jnp.array(1.0), jnp.array(0.5), jnp.array(9.0), 0.2, 3.0), {}),
    ((jnp.array(1.0), jnp.array(0.5), jnp.array(jnp.nan), 0.2, 3.0), {}),
    ((jnp.array(-1.0), jnp.array(2.0), jnp.array(-8.0), 0.1), {"gate": jnp.array(50.0)}),
]
KIND = "rewrite"
FIXED = "kalman_gate_fixed"
SITES = ["if not jnp.isfinite(z) or not -gate < innovation / jnp.sqrt(s) < gate:"]
CATEGORY = "boolean operators"
