"""Selections of one array of which a test on data chooses."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import check, define
from .helpers import propose as proposed

X = jnp.array([1.0, -2.0, 3.0, 50.0, 2.5])
Y = jnp.arange(5.0)


@pytest.mark.parametrize("other", ["h[:1]", "h", "h[1:]"])
def test_a_slice_or_another_one(other):
    found = check(
        f"def f(h, n):\n    valid = h[:n] if n > 0 else {other}\n    return valid.mean(0), valid.max(0), len(valid)\n",
        (X, jnp.array(2)),
        (X, jnp.array(0)),
        (X, jnp.array(9)),
    )
    told = found.rewrites[0].compared
    assert "a negative bound, which counts from the end in Python" in {*told.differences, *told.not_reached}


def test_a_slice_or_another_one_of_each_row():
    check(
        "def f(hs, ns):\n    out = []\n    for h, n in zip(hs, ns):\n        n = int(n)\n"
        "        out.append((h[:n] if not n < 1 else h[:1]).mean(0))\n    return jnp.stack(out)\n",
        (jnp.arange(24.0).reshape(2, 4, 3), jnp.array([2, 0])),
        (jnp.arange(24.0).reshape(2, 4, 3), jnp.array([4, 3])),
    )


def test_what_a_mask_selects_where_it_selects_anything():
    check(
        "def f(x, m):\n    some = x[m] if m.any() else x\n    return jnp.median(some), some.max(), len(some)\n",
        (X, X > 2),
        (X, X > 99),
    )


def test_arrays_that_are_narrowed_together():
    found = check(
        "def f(x, y):\n    ok = jnp.abs(x) < 3\n    if ok.sum() > 2:\n        x, y = x[ok], y[ok]\n"
        "    return (x * y).sum() / (x * x).sum(), x.shape[0]\n",
        (X, Y),
        (X + 1, Y),
        (X * 9, Y),
    )
    assert "jnp.where(ok.sum() > 2, ok, True)" in found.rewrites[0].source


def test_both_sides_give_a_name():
    check(
        "def f(x, low, high, whole):\n    if whole > 0:\n        part = x\n    else:\n        part = x[low:high]\n"
        "    best = part[0]\n    for v in part:\n        best = jnp.maximum(best, v)\n    return best, jnp.argmax(part)\n",
        (X, jnp.array(1), jnp.array(3), jnp.array(0)),
        (X, jnp.array(1), jnp.array(3), jnp.array(1)),
    )


@pytest.mark.parametrize(
    "choice",
    [
        "if len(some) == 0:\n        some = x",
        "if not some.size:\n        some = x",
        "if some.shape[0] < 3:\n        some = x[x > 0]",
        "some = some if len(some) > 2 else x",
        "some = x if some.size < 3 else some",
    ],
)
def test_unless_few_are_left(choice):
    check(
        f"def f(x, t):\n    some = x[x > t]\n    {choice}\n    return some.mean(), some.std(), some.size\n",
        (X, 2.0),
        (X, 40.0),
        (X, 99.0),
    )


def test_a_choice_that_asks_for_more_than_a_count_is_left():
    source = "def f(x, t):\n    some = x[x > t]\n    if some.sum() > 3:\n        some = x\n    return some.mean()\n"
    found = proposed(define(source)["f"], (X, 2.0), {})
    assert not any("jnp.where(jnp.sum(" in each.source for each in found.rewrites)


def test_a_line_that_needs_what_another_made_is_left_as_it_is():
    check(
        "def f(x, y, t):\n    if x.sum() > t:\n        x = x[x > 0]\n        y = y[: len(x)]\n    return x.sum() + y.sum()\n",
        (X, Y, 2.0),
        (X, Y, 99.0),
    )


def test_a_side_that_no_input_reaches():
    """A mask is known by how it is written."""
    check(
        "def f(x, t):\n    some = x[x > t] if x.sum() > 1e9 * t else x[(jnp.abs(x) < 3) & ~(x > 2.7)]\n"
        "    return some.sum(), len(some)\n",
        (X, 2.0),
        (X, -1.0),
        (X, 1e-9),
    )
