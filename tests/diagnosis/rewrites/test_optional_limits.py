"""Limits that may be left out, asked by their truth where a loop ends."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

XS = jnp.array([1.0, 3.0, 4.0, 2.0, 5.0])

WHILE = """
def f(x, limit=None):
    n = 0
    while x > 1.0:
        x = x / 2
        n += 1
        if limit and n >= limit:
            break
    return x, n
"""


@pytest.mark.parametrize("first", [(50.0,), (50.0, 3)], ids=["left out", "given"])
def test_a_loop_that_ends_at_a_limit_of_none_or_a_number(first):
    """Neither was answered: `limit and …` is None or 0, and no flag."""
    check(WHILE, first, (50.0,), (50.0, 3), (50.0, 0), (0.5, 2), (50.0, 2.5), (50.0, None))


@pytest.mark.parametrize("none", ["0", "None"])
def test_no_limit_in_the_test_of_the_loop(none):
    source = f"def f(x, most={none}):\n    n = 0\n    while x > 1.0 and (not most or n < most):\n"
    source += "        x, n = x / 2, n + 1\n    return x, n\n"
    check(source, (50.0,), (50.0, 2), (50.0, 0), (0.5, 2))


def test_a_limit_of_what_a_loop_over_data_counts():
    source = """
def f(xs, limit=None):
    s, k = 0.0, 0
    for v in xs:
        if v > 2.0:
            s += v
            k += 1
        if limit and k >= limit:
            break
    return s, k
"""
    check(source, (XS,), (XS, 2), (XS, 0), (XS, 9), (-XS, 1))


@pytest.mark.parametrize(
    "source",
    [
        WHILE.replace("n >= limit", "n in limit"),  # a list's truth is whether it is empty
        WHILE.replace("        n += 1\n", "        n += 1\n        limit = limit or 4\n"),  # bound anew it may be anything
        WHILE.replace("limit=None", "limit=False").replace("n >= limit", "x < 3"),  # a flag
    ],
    ids=["a list", "bound anew", "a flag"],
)
def test_what_is_no_limit_stays(source):
    assert "limit" not in offered(source, 50.0)
    assert "limit" in offered(WHILE, 50.0)
