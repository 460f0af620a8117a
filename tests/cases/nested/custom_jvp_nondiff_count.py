"""A truncated series under `custom_jvp` whose number of terms is a nondiff argument. JAX stops the gradient of a traced `n` on
the way in, so `n` is no plain number any more where the loop needs it; with `n` static outside nothing is stopped and it traces."""

import functools
import math

import jax
import jax.numpy as jnp


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def exp_series(x, n):
    return sum(x**k / math.factorial(k) for k in range(n))


@exp_series.defjvp
def _exp_series_jvp(n, primals, tangents):
    (x,), (t,) = primals, tangents
    return exp_series(x, n), t * exp_series(x, n - 1)


def discount(rate, terms):
    return exp_series(-rate, terms)


FUNCTION = "discount"
CALLS = [((jnp.float32(0.5), 4), {}), ((jnp.float32(0.25), 3), {})]
KIND = "static"
STATIC = [("terms",)]
SITES = ["return sum(x**k / math.factorial(k) for k in range(n))"]
CATEGORY = "custom_jvp"
