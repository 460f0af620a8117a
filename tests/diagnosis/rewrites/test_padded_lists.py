"""Lists that a loop fills until data ends it, and that are filled up to a length behind it."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

CALLS = [(jnp.array(8.0), jnp.array(3.0)), (jnp.array(8.0), jnp.array(0.0)), (jnp.array(2.0), jnp.array(9.0))]
SOURCE = """
def f(x, t, n=4):
    out = {first}
    for _ in range(n):
        x = x / 2
        out.append(x)
        if x < t:
            break
    {last}
    return jnp.array(out)
"""


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("[]", "out += [jnp.nan] * (n - len(out))"),
        ("[]", "out = out + [out[-1]] * (n - len(out))"),
        ("[]", "out.extend([0.0] * (n - len(out)))"),
        ("[x]", "out += [0.0] * (n + 1 - len(out))"),
        ("[x]", "while len(out) < n + 1:\n        out.append(0.0)"),
    ],
)
def test_they_are_buffers_of_that_length(first, last):
    check(SOURCE.format(first=first, last=last), *CALLS, seconds=10.0)


def test_an_item_that_is_another_each_time_is_not_repeated():
    """`[v] * k` computes it once, and a loop would each time."""
    source = "keys = iter(range(100))\n" + SOURCE.format(first="[]", last="out += [float(next(keys))] * (n - len(out))")
    found = propose(define(source)["f"], CALLS[0], {})
    assert not any("next(keys)" in each.source and "while" in each.source for each in found.rewrites)
