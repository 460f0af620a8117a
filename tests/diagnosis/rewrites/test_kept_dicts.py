"""Dicts that a comprehension with a test fills, of which no key is looked up."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X = jnp.array([3.0, 0.5, 4.0])
CALLS = [(X, jnp.array(1.0)), (X, jnp.array(9.0)), (X[:1], jnp.array(0.0))]


@pytest.mark.parametrize(
    ("made", "end"),
    [
        ("{i: (v + 1) for i, v in enumerate(x) if v > t}", "return sum(big.values()), len(big)"),
        ("{i: x[i] for i in range(len(x)) if x[i] > t}", "return max(big.values()) if len(big) > 0 else 0.0"),
        ("{i: v for i, v in enumerate(x) if v > t}", "s = 0.0\n    for i, v in big.items():\n        s += i * v\n    return s"),
    ],
    ids=["values", "largest", "items"],
)
def test_they_are_lists(made, end):
    check(f"def f(x, t):\n    big = {made}\n    {end}\n", *CALLS)


def test_those_of_another_dict_have_its_keys():
    source = "def f(p, t):\n    n = {k: v.sum() for k, v in p.items() if v.max() > t}\n    return sum(n.values())\n"
    check(source, ({"a": X, "b": X[:2]}, jnp.array(3.5)), ({"a": X}, jnp.array(9.0)))


@pytest.mark.parametrize(
    "made", ["{len(x) // 2: v for i, v in enumerate(x) if v > t}", "{i % 2: v for i, v in enumerate(x) if v > t}"]
)
def test_keys_that_come_twice_are_no_list(made):
    namespace = define(f"def f(x, t):\n    big = {made}\n    return sum(big.values())\n")
    assert not propose(namespace["f"], CALLS[0], {}).rewrites
