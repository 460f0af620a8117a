"""while … else: the else branch runs when the condition became false, not after a break. Both exits have to be told apart."""

import jax.numpy as jnp
from jax import lax


def safeguarded_log(y, x):
    """Solve exp(x) = y by Newton; gives NaN when an iterate runs away."""
    while jnp.abs(jnp.exp(x) - y) > 1e-3 * y:
        x = x - 1.0 + y * jnp.exp(-x)
        if jnp.abs(x) > 20.0:
            result = jnp.nan
            break
    else:
        result = x
    return result


def safeguarded_log_fixed(y, x):
    def open_(state):
        x, away = state
        return ~away & (jnp.abs(jnp.exp(x) - y) > 1e-3 * y)

    def body(state):
        x, _ = state
        x = x - 1.0 + y * jnp.exp(-x)
        return x, jnp.abs(x) > 20.0

    x, away = lax.while_loop(open_, body, (jnp.asarray(x), jnp.array(False)))
    return jnp.where(away, jnp.nan, x)


FUNCTION = "safeguarded_log"
CALLS = [
    ((jnp.array(3.0), jnp.array(1.0)), {}),
    ((jnp.array(3.0), jnp.array(-9.0)), {}),
    ((jnp.array(1.0), jnp.array(0.0)), {}),
    ((jnp.array(0.5), jnp.array(0.5)), {}),
]
KIND = "rewrite"
FIXED = "safeguarded_log_fixed"
SITES = ["while jnp.abs(jnp.exp(x) - y) > 1e-3 * y:", "if jnp.abs(x) > 20.0:"]
CATEGORY = "while else"
