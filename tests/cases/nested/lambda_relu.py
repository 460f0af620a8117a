"""A lambda with a ternary, bound to a name at module level."""

import jax.numpy as jnp

softplus_or_line = lambda x, cut: jnp.log1p(jnp.exp(x)) if x < cut else x


def fixed(x, cut):
    small = x < cut
    return jnp.where(small, jnp.log1p(jnp.exp(jnp.where(small, x, 0.0))), x)


FUNCTION = "softplus_or_line"
CALLS = [((jnp.array(0.5), 20.0), {}), ((jnp.array(30.0), 20.0), {}), ((jnp.array(-4.0), jnp.array(-10.0)), {})]
KIND = "rewrite"
FIXED = "fixed"
SITES = ["softplus_or_line = lambda x, cut: jnp.log1p(jnp.exp(x)) if x < cut else x"]
CATEGORY = "lambda"
