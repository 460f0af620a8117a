"""Readings of the time that are told alone."""

import ast

import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic import diagnose
from jupyter_jitmagic.sandbox.timings import only_told
from tests.diagnosis.rewrites.helpers import define


def readings(source):
    """How many calls of `clock` in a function's body are told alone."""
    return len(only_told(ast.parse(source).body, lambda call: ast.unparse(call.func) == "clock"))


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("t = clock()\nprint(f'{clock() - t:.1f} s')", 2),
        ("t = clock()\nfor k in range(3):\n    dt = clock() - t\n    if k > 1:\n        log.info('%d: %f', k, dt)", 2),
        ("total = 0.0\nt = clock()\ntotal += clock() - t\nprint(total)", 2),
        ("t: float = clock()\nclock()\nreturn x", 2),
    ],
)
def test_what_is_printed_logged_or_dropped_is_told(source, count):
    assert readings(source) == count


@pytest.mark.parametrize(
    "source",
    [
        "t = clock()\nreturn x, clock() - t",
        "t = clock()\nwhile clock() - t < 5:\n    x = x / 2",
        "t = clock()\ntimes.append(clock() - t)",
        "t = clock()\nkey = jax.random.key(int(t))\nreturn key",
        "global t\nt = clock()",
        "t = clock()\nprint([t for t in x])\nf = lambda: t",
        "self.begun = clock()",
        "t = clock()\nfor t in x:\n    print(t)",
        "print(y := clock())",
    ],
)
def test_what_may_be_given_back_kept_or_decide_is_not(source):
    assert readings(source) == 0


@pytest.mark.parametrize("end", ["return w, loss", "y[0] = loss\n    return w, y"], ids=["given", "changed"])
def test_a_training_loop_that_prints_how_long_it_took_has_a_rewrite_that_says_what_jit_makes_of_that(end):
    """Also where it changes an array of the caller's, which is another thing that a run does."""
    source = f"""
import time
import jax.numpy as jnp


def f(w, x, y):
    start = time.perf_counter()
    for epoch in range(40):
        w = w - 0.1 * x.T @ (x @ w - y)
        loss = jnp.mean((x @ w - y) ** 2)
        if loss < 1e-3:
            break
    print(f"took {{time.perf_counter() - start:.1f}} s")
    {end}
"""
    x = jnp.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    found = diagnose(define(source)["f"], jnp.zeros(2), x, np.array([1.0, 2.0, 3.0], np.float32))
    assert found.verified and any(
        "reads the time once, while it is traced" in said for said in found.rewrites[0].compared.differences
    )
