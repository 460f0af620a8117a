"""Choices between slices of one array."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

X, AT = jnp.arange(1.0, 8.0), jnp.array(2)

SERVED = {
    "an expression": "s = x[i:] if n is None else x[i : i + n]",
    "statements": "if n is None:\n        s = x[i:]\n    else:\n        s = x[i : i + n]",
    "the whole array on a side": "s = x if n is None else x[i : i + n]",
    "from the end": "s = x[:i] if n is None else x[:-n]",
}


@pytest.mark.parametrize("how", SERVED)
def test_slices_of_one_array_become_one_slice_with_chosen_bounds(how):
    source = f"""
def f(x, i, n=None):
    {SERVED[how]}
    return s.sum(), len(s)
"""
    first = (X, AT, jnp.array(3)) if "whole" in how or "end" in how else (X, AT)
    text = check(source, first, (X, AT + 1, *first[2:])).rewrites[0].source
    assert "if n is None else" in text


def test_rows_may_be_chosen_so():
    source = """
def f(x, i, n=None):
    s = x[:, i:] if n is None else x[:, :n]
    return s.sum(axis=1)
"""
    check(source, (jnp.arange(12.0).reshape(3, 4), AT), (jnp.ones((2, 5)), AT))


@pytest.mark.parametrize(
    "line",
    [
        "s = x[i:] if n is None else y[:n]",  # of two arrays
        "s = x[i:] if n is None else x[::2]",
        "s = x[i:] if n is None else x[0]",
    ],
)
def test_others_are_left(line):
    source = f"""
def f(x, i, y, n=None):
    {line}
    return s.sum()
"""
    assert "slice" not in offered(source, X, AT, X)
