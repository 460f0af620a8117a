"""jax.nn.gelu(approximate=...) and a dropout flag handed on to a helper: bools that a library and a helper ask for their truth."""

import jax
import jax.numpy as jnp


def _drop(key, x, rate, deterministic):
    if deterministic:
        return x
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0.0)


def feed_forward(params, x, key, rate, deterministic, approximate):
    h = jax.nn.gelu(x @ params[0], approximate=approximate)
    return _drop(key, h, rate, deterministic) @ params[1]


prm = (jnp.eye(2) * 0.5, jnp.array([[1.0], [2.0]]))

FUNCTION = "feed_forward"
CALLS = [
    ((prm, jnp.ones((3, 2)), jax.random.key(0), 0.5, False, True), {}),
    ((prm, jnp.ones((3, 2)), jax.random.key(0), 0.5, True, False), {}),
    ((prm, -jnp.ones(2), jax.random.key(2), jnp.array(0.1)), {"deterministic": False, "approximate": False}),
]
KIND = "static"
STATIC = [("deterministic", "approximate")]
SITES = ["h = jax.nn.gelu(x @ params[0], approximate=approximate)", "if deterministic:"]
CATEGORY = "flags"
