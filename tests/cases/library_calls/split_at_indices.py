"""jnp.split at indices given as a tuple: they decide shapes, so the tuple is static; a helper sums the parts."""

import jax.numpy as jnp


def zone_totals(flow, cuts, tariff):
    parts = jnp.split(flow, cuts)
    return jnp.stack([tariff * p.sum() for p in parts])


f = jnp.arange(6.0)

FUNCTION = "zone_totals"
CALLS = [((f, (2, 5), 0.1), {}), ((f, (3,), jnp.array(2.0)), {}), ((f[:4],), {"cuts": (1, 2, 3), "tariff": 1})]
KIND = "static"
STATIC = [("cuts",)]
SITES = ["parts = jnp.split(flow, cuts)"]
CATEGORY = "split"
