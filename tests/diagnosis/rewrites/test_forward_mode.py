"""Forward mode: a fixed number that is chosen has a derivative of 0 in compiled code, none in plain Python."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.proof.forward import LOST_AHEAD
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, define

X = jnp.array([0.5, -1.0, 2.0])
LIMITED = "def f(x):\n    low = x.min()\n    if low < 0:\n        low = 0.0\n    return jnp.sqrt(low) + x.sum()\n"
LISTED = (
    "def f(x):\n    out = 0.0\n    for v in x:\n        if v <= 0:\n            v = 0.0\n        out = out + jnp.sqrt(v)\n"
    "    return out\n"
)
COSINE = (
    "def f(x):\n    c = x @ x\n    if c > 1:\n        c = 1.0\n    elif c < -1:\n        c = -1.0\n    return jnp.arccos(c)\n"
)


@pytest.mark.parametrize("source", [LIMITED, LISTED, COSINE], ids=["a limit", "in a loop", "two limits"])
def test_a_derivative_that_is_lost_ahead_is_told(source):
    """Plain Python's number has no derivative, and the square root's infinite one at 0 never comes in."""
    namespace = define(source)
    found = propose(namespace["f"], (X,), {})
    wanted = jax.jvp(namespace["f"], (X,), (jnp.ones(3),))[1]
    with applied(found, namespace):
        got = jax.jvp(namespace["f"], (X,), (jnp.ones(3),))[1]
    assert jnp.isfinite(wanted)
    assert LOST_AHEAD in found.rewrites[0].compared.differences or jnp.allclose(got, wanted)


@pytest.mark.parametrize(
    "body",
    [
        "if x.sum() > 0:\n        return jnp.sqrt(x * x + 1).sum()\n    return x.sum()",
        "low = x.min()\n    if low < 1:\n        low = 1.0\n    return jnp.sqrt(low) + x.sum()",
        "low = jnp.minimum(x.min(), 0.0)\n    if x.sum() < 9:\n        low = 2 * low\n    return jnp.sqrt(-low) + x.sum()",
    ],
    ids=["no number is chosen", "its slope is finite", "plain Python loses it too"],
)
def test_what_is_not_lost_is_not_told(body):
    found = propose(define(f"def f(x):\n    {body}\n")["f"], (X + 2 * (X < 0),), {}).rewrites[0]
    assert LOST_AHEAD not in found.compared.differences
