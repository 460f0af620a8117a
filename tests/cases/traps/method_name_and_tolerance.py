"""A string option and a loop until convergence: the string must be static, the loop rewritten; each alone fails."""

import jax.numpy as jnp
from jax import lax


def mean_of(a, b, kind, tol):
    while jnp.abs(a - b) > tol:
        if kind == "agm":
            a, b = 0.5 * (a + b), jnp.sqrt(a * b)
        else:
            a, b = 0.5 * (a + b), 2 * a * b / (a + b)
    return a


def mean_of_fixed(a, b, kind, tol):
    def body(s):
        a, b = s
        if kind == "agm":
            return 0.5 * (a + b), jnp.sqrt(a * b)
        return 0.5 * (a + b), 2 * a * b / (a + b)

    return lax.while_loop(lambda s: jnp.abs(s[0] - s[1]) > tol, body, (a, b))[0]


FUNCTION = "mean_of"
CALLS = [
    ((jnp.array(1.0), jnp.array(4.0), "agm", 1e-3), {}),
    ((jnp.array(1.0), jnp.array(4.0), "ahm", jnp.array(1e-3)), {}),
    ((jnp.array(2.0), jnp.array(2.0)), {"kind": "agm", "tol": jnp.array(0.1)}),
]
KIND = "static+rewrite"
STATIC = [("kind",)]
FIXED = "mean_of_fixed"
FIXED_STATIC = ("kind",)
SITES = ["while jnp.abs(a - b) > tol:", 'if kind == "agm":']
CATEGORY = "static and rewrite"
