"""Whole numbers of Python's that the function itself makes floats, by their kind."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose
from tests.diagnosis.rewrites.helpers import applied, check, define

BOTH = """
def f(a, b):
    if isinstance(a, int):
        a = float(a)
    if isinstance(b, int):
        b = float(b)
    if a > b:
        return a - b
    return b * 2
"""
CHOSEN = """
def f(x, a):
    a = float(a) if isinstance(a, (int, float)) else a
    if x.sum() > a:
        return a // 2
    return a / 2
"""
X = jnp.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize("first", [(3, 2), (3, 2.0), (2.0, 3)])
def test_a_whole_number_is_made_a_float_under_jit_as_well(first):
    """A tracer is no int: it stayed a whole number, plain Python's result is a float, and no rewrite was the same."""
    calls = [first, (2, 3), (2, 2), (0, 0.0), (1.5, 2), (float("nan"), 1), (True, 2), (-3, -4)]
    found = check(BOTH, *calls)
    namespace = define(BOTH)
    with applied(found, namespace):
        assert all(jax.jit(namespace["f"])(*call).dtype == jnp.float32 for call in calls)
    assert "a = a * 1.0" in found.rewrites[0].source


def test_it_is_one_expression():
    found = check(CHOSEN, (X, 3), (X, 30), (X, 7.5), (X, 6))
    assert "a = a * 1.0" in found.rewrites[0].source


def test_an_array_of_whole_numbers_stays_one():
    """Plain Python asks for its own numbers alone: what makes a float of an array is not called right for it."""
    namespace = define(BOTH)
    found = propose(namespace["f"], (jnp.array(3), jnp.array(2)), {})
    assert not any("* 1.0" in each.source for each in (*found.rewrites, *found.unverified))
    told = propose(namespace["f"], (3, 2), {}).rewrites[0].compared
    assert "array of whole numbers" in str(told)
