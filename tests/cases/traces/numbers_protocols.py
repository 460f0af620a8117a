"""abs, round, divmod, pow, unary minus, sum, len, reversed, unpacking and comparison chains on shapes: all work on tracers."""

import jax.numpy as jnp


def summary(x, scale):
    first, *rest = x
    q, r = divmod(x.sum(), scale)
    spread = abs(first) + sum(abs(v) for v in rest)
    back = jnp.stack(list(reversed(x)))
    if 1 < len(x) <= 8 and x.ndim == 1:
        spread = spread / len(x)
    return round(q), r, pow(spread, 2), -back, +x @ back


FUNCTION = "summary"
CALLS = [((jnp.array([1.0, -2.0, 3.5]), 2.0), {}), ((jnp.array([4.0]), 3), {}), ((jnp.arange(9.0), jnp.array(4.0)), {})]
KIND = "traces"
CATEGORY = "builtins"
