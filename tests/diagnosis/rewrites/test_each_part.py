"""Comprehensions over a few names or numbers, each part of which is selected or made of what was."""

from __future__ import annotations

from unittest import mock

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites.drafts import Draft
from jupyter_jitmagic.diagnosis.rewrites.engine import Search

from .helpers import check, define, propose

P, Q = jnp.array([1.0, 2.0, 0.0, 3.0]), jnp.array([2.0, 1.0, 5.0, 0.5])
CALLS = [(P, Q, P[::-1]), (Q, P, Q), (P[:3], Q[:3], P[:3] + 1)]
W, R = jnp.array([1.0, 2.0, jnp.nan, 3.0, 4.0, 2.0]), jnp.array([0, 1, 2, 1, 0, 2])


@pytest.mark.parametrize(
    "lines",
    [
        "    a, b, c = (v[m] for v in (p, q, r))\n    return (c @ b) / (a @ b)\n",
        "    a, b, c = [v[m] for v in (p, q, r)]\n    return (c @ b) / (a @ b)\n",
        "    p, q, r = (v[m] for v in (p, q, r))\n    return (r @ q) / (p @ q)\n",
        "    s = (p * q)[m].sum()\n    a, b = (v[m] * s for v in (p, q))\n    return a @ b\n",
    ],
    ids=["generator", "list", "the same names", "behind another"],
)
def test_several_arrays_are_selected_at_once(lines):
    check(f"def f(p, q, r):\n    m = (p > 0) & (r > 0)\n{lines}", *CALLS, seconds=20.0)


@pytest.mark.parametrize(
    "lines",
    [
        "    parts = [(r == k).astype(w.dtype) for k in (1, 2)]\n    X = jnp.column_stack([jnp.ones(len(w)), e] + parts)\n",
        "    X = jnp.column_stack([jnp.ones(len(w)), e, *[(r == k).astype(w.dtype) for k in (1, 2)]])\n",
        "    parts = [r == k for k in [1, 2]]\n    X = jnp.column_stack([jnp.ones(len(w)), *parts, e])\n",
    ],
    ids=["added", "at once", "starred"],
)
def test_columns_of_flags_beside_others(lines):
    """A regression with dummies, and the rank that its rows have."""
    source = (
        f"def f(w, e, r):\n    ok = ~jnp.isnan(w)\n    w, e, r = w[ok], e[ok], r[ok]\n{lines}"
        "    beta, _, rank, _ = jnp.linalg.lstsq(X, w)\n    return beta, jnp.sum((w - X @ beta) ** 2), len(w) - rank\n"
    )
    check(source, (W, jnp.arange(6.0), R), (W[::-1], jnp.arange(6.0) ** 2, R), seconds=20.0)


def test_parts_of_what_is_another_by_the_time_that_they_are_joined():
    """They keep the line on which they were made: what they were made of has a new value."""
    source = (
        "def f(w, e, r):\n    ok = ~jnp.isnan(w)\n    w, e, r = w[ok], e[ok], r[ok]\n"
        "    parts = [r == k for k in (1, 2)]\n    {}\n    X = jnp.column_stack([e] + parts)\n    return X.sum(axis=0)\n"
    )
    calls = (W, jnp.arange(6.0), R), (W[::-1], jnp.arange(6.0) ** 2, R)
    joined = check(source.format("e = e + 1"), *calls, seconds=20.0).rewrites[0].source
    assert "parts = " not in joined
    tried: list[str] = []
    real = Search._traced

    def noting(search: Search, draft: Draft, stopped: object) -> object:
        tried.extend(draft.texts.values())
        return real(search, draft, stopped)

    with mock.patch.object(Search, "_traced", noting):
        propose(define(source.format("r = r + 1"))["f"], calls[0], {}, seconds=10.0)
    written = [each for each in tried if "r == 1" in each]
    assert written and all("parts = " in each for each in written)


A, B = jnp.array([-1.0, 0.5, 0.0, 3.0]), jnp.array([2.0, 1.0, 5.0, 0.5])
POWERS = [
    "jnp.stack([xs**k for k in range(n + 1)], axis=1)",
    "jnp.column_stack([xs**k for k in range(n + 1)])",
    "jnp.array([xs**k for k in range(n + 1)]).T",
    "jnp.stack([xs**k for k in (0, 1)], -1)",
]


@pytest.mark.parametrize("table", POWERS)
def test_as_many_columns_of_a_selection_as_a_comprehension_has_rounds(table):
    source = f"""def f(x, y, h, n):
    m = jnp.abs(x) <= h
    xs, ys = x[m], y[m]
    X = {table}
    return jnp.linalg.solve(X.T @ X + 0.01 * jnp.eye(n + 1), X.T @ ys)
"""
    check(source, (A, B, 2.0, 1), (A, B, 0.6, 1), (A[:2], B[:2], 9.0, 1), static=("n",))


def test_rounds_that_select_each_something_else_are_no_columns():
    """Each round has a mask of its own; that of a loop before, whose variable has the same name, is none of them."""
    before = "for k in range(2):\n        y = y + k\n    "
    text = "def f(x, y):\n    {}X = jnp.stack([x[{}] for k in range(2)], axis=1)\n    return X.sum() + y\n"
    x, y = jnp.array([[3.0, 0.0], [4.0, 0.0]]).reshape(4), 1.0
    assert propose(define(text.format(before, "x > 1"))["f"], (x, y), {}).rewrites
    for start in ("", before):
        assert not propose(define(text.format(start, "x > k"))["f"], (x, y), {}).rewrites
