"""`while (err := …) > tol and n < limit`: the name bound in the test is read after the loop, so it travels with the loop."""

import jax
import jax.numpy as jnp


def square_root(a, tol):
    x, n = a, 0
    while (err := abs(x * x - a)) > tol and n < 40:
        x = 0.5 * (x + a / x)
        n += 1
    return x, err, n


def square_root_fixed(a, tol):
    def going(s):
        x, n = s
        return (jnp.abs(x * x - a) > tol) & (n < 40)

    x, n = jax.lax.while_loop(going, lambda s: (0.5 * (s[0] + a / s[0]), s[1] + 1), (a, 0))
    return x, jnp.abs(x * x - a), n


FUNCTION = "square_root"
CALLS = [
    ((jnp.array(2.0), 1e-3), {}),
    ((jnp.array(1.0), 1e-3), {}),
    ((jnp.array(50.0), 0.5), {}),
    ((jnp.array(-3.0), 100.0), {}),
]
KIND = "rewrite"
FIXED = "square_root_fixed"
SITES = ["while (err := abs(x * x - a)) > tol and n < 40:"]
CATEGORY = "while"
