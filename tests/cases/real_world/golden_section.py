"""Golden-section search in a fixed number of rounds: an if/else that moves four names at once, with function values reused."""

import jax.numpy as jnp

PHI = 0.618034


def golden(a, b, target):
    f = lambda x: (x - target) ** 2 + 0.1 * jnp.cos(3 * x)
    c, d = b - PHI * (b - a), a + PHI * (b - a)
    fc, fd = f(c), f(d)
    for _ in range(12):
        if fc < fd:
            b, d, fd = d, c, fc
            c = b - PHI * (b - a)
            fc = f(c)
        else:
            a, c, fc = c, d, fd
            d = a + PHI * (b - a)
            fd = f(d)
    return 0.5 * (a + b)


def golden_fixed(a, b, target):
    f = lambda x: (x - target) ** 2 + 0.1 * jnp.cos(3 * x)
    c, d = b - PHI * (b - a), a + PHI * (b - a)
    fc, fd = f(c), f(d)
    for _ in range(12):
        left = fc < fd
        a, b = jnp.where(left, a, c), jnp.where(left, d, b)
        c, d = jnp.where(left, b - PHI * (b - a), d), jnp.where(left, c, a + PHI * (b - a))
        fc, fd = f(c), f(d)
    return 0.5 * (a + b)


FUNCTION = "golden"
CALLS = [
    ((jnp.array(-1.0), jnp.array(3.0), 0.5), {}),
    ((jnp.array(0.0), jnp.array(1.0), jnp.array(9.0)), {}),
    ((jnp.array(-5.0), jnp.array(0.0), jnp.array(-2.0)), {}),
]
KIND = "rewrite"
FIXED = "golden_fixed"
SITES = ["if fc < fd:"]
CATEGORY = "real_world"
