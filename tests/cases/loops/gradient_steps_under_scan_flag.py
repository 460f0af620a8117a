"""A scan body with an option: the flag comes through the closure, so it is the outer argument that is static; the plain call works
because the closure keeps a Python bool."""

import jax.numpy as jnp
from jax import lax


def run_rnn(params, xs, h0, bidirectional, forget):
    def cell(h, x):
        h = jnp.tanh(params["w"] @ h + params["u"] * x)
        if bidirectional:
            h = h + h[::-1]
        return forget * h, h.sum()

    h, out = lax.scan(cell, h0, xs)
    if bidirectional:
        _, rev = lax.scan(cell, h0, xs[::-1])
        out = out + rev[::-1]
    return h, out


prm = {"w": 0.3 * jnp.eye(2), "u": jnp.array([1.0, -0.5])}

FUNCTION = "run_rnn"
CALLS = [
    ((prm, jnp.arange(3.0), jnp.zeros(2), True, 0.9), {}),
    ((prm, jnp.arange(3.0), jnp.zeros(2), False, 0.9), {}),
    ((prm, jnp.ones(2), jnp.ones(2)), {"bidirectional": True, "forget": jnp.array(0.5)}),
]
KIND = "static"
STATIC = [("bidirectional",)]
SITES = ["if bidirectional:"]
CATEGORY = "scan body"
