"""The jitted name is an alias of the function, bound at module level: a rewrite of the def has to renew the alias too."""

import jax.numpy as jnp


def hinge(margin, slack):
    if margin < 1.0 - slack:
        return 1.0 - slack - margin
    return 0.0 * margin


loss_fn = hinge


def hinge_fixed(margin, slack):
    return jnp.maximum(1.0 - slack - margin, 0.0)


FUNCTION = "loss_fn"
CALLS = [((jnp.array(0.2), 0.1), {}), ((jnp.array(3.0), 0.1), {}), ((jnp.array(-1.0),), {"slack": jnp.array(0.5)})]
KIND = "rewrite"
FIXED = "hinge_fixed"
SITES = ["if margin < 1.0 - slack:"]
CATEGORY = "alias"
