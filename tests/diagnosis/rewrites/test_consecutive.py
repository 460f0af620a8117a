"""Neighbours in a list whose length is data, and in an array from a place on, however they are spelled."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X = jnp.array([3.0, 1.0, 2.0, 1.0, 4.0])
CALLS = [(X, 1.5), (X, 2.5), (X[::-1], 9.0), (X - 3.0, -0.5)]

HITS = "hits = [i for i, v in enumerate(x) if v > t]\n    "
FILLED = "hits = []\n    for i, v in enumerate(x):\n        if v > t:\n            hits.append(i)\n    "


@pytest.mark.parametrize("hits", [HITS, FILLED])
@pytest.mark.parametrize(
    "body",
    [
        "gaps = [b - a for a, b in zip(hits, hits[1:])]\n    return sum(gaps) / max(len(gaps), 1)",
        "gaps = [hits[k + 1] - hits[k] for k in range(len(hits) - 1)]\n    return max(gaps, default=0)",
        "return sum((hits[k] - hits[k - 1]) ** 2 for k in range(1, len(hits)))",
        "total = 0.0\n    for a, b in zip(hits, hits[1:]):\n        total += (b - a) ** 2\n    return total",
        "gaps = [b - a for a, b in itertools.pairwise(hits)]\n    return sum(gaps) / len(gaps) if gaps else -1.0",
    ],
)
def test_neighbours_of_what_was_found_are_followed(hits, body):
    """Only `zip(hits[:-1], hits[1:])` was; of the others the length was said to depend on data."""
    assert check(f"import itertools\n\n\ndef f(x, t):\n    {hits}{body}\n", *CALLS).rewrites[0].verified


def test_places_of_an_array_are_neighbours_too():
    source = "def f(x, t):\n    hits = jnp.where(x > t)[0]\n    return sum(b - a for a, b in zip(hits, hits[1:]))\n"
    assert "zip(hits[:-1], hits[1:])" in check(source, *CALLS).rewrites[0].source


def test_a_place_that_is_used_otherwise_stays():
    source = f"def f(x, t):\n    {HITS}return sum(k * (hits[k + 1] - hits[k]) for k in range(len(hits) - 1))\n"
    found = propose(define(source)["f"], CALLS[0], {})
    assert all("zip(" not in each.source for each in found.rewrites)


AT = "i = jnp.argmax(x > t)\n    "
UP_TO = "n = jnp.sum(x > t)\n    "


@pytest.mark.parametrize(
    ("body", "written"),
    [
        (
            f"{AT}s = 0.0\n    for a, b in zip(x[i:-1], x[i + 1:]):\n        s = s * 0.5 + a * b\n    return s",
            "x[:-1], 0), x[1:]",
        ),
        (
            f"{AT}for a, b in zip(x[i:], x[i + 1:]):\n        if b < a:\n            return a + b\n    return x[-1]",
            "x[:-1], 0)",
        ),
        (f"{AT}return sum(a * b for a, b in itertools.pairwise(x[i:]))", "zip(x[:-1], x[1:])"),
        (f"{AT}return sum(a * b + c for a, b, c in zip(x[i:], x[i + 1:], x[i + 2:]))", "zip(x[:-2], x[1:-1], x[2:])"),
        (
            f"{UP_TO}s = 0.0\n    for a, b in zip(x[:n], x[1:n + 1]):\n        s += a * b\n    return s",
            "jnp.arange(x[:-1].shape[0]) < n\n",
        ),
        (
            f"{UP_TO}s = 0.0\n    for a, b, c in zip(x[:n], x[1:n], x):\n        s += a * b - c\n    return s",
            "jnp.arange(x[:-1].shape[0]) < jnp.maximum(n - 1, 0)",
        ),
        (f"{UP_TO}return sum(abs(a - b) for a, b in itertools.pairwise(x[:n]))", "< jnp.maximum(n - 1, 0)"),
    ],
)
def test_slices_that_data_cuts_begin_at_one_place_of_equal_parts(body, written):
    """Beside the same slice of two arrays, nothing was known of a `zip` of slices."""
    found = check(f"import itertools\n\n\ndef f(x, t):\n    {body}\n", *CALLS, (X[:1], 0.0), (X[:2], 9.0))
    assert found.rewrites[0].verified and written in found.rewrites[0].source


@pytest.mark.parametrize(
    "body",
    [
        "for k, (a, b) in enumerate(zip(x[i:], y[i:])):\n        s = s + k * a - b",
        "for k, (a, b) in enumerate(zip(x[i:-1], x[i + 1:])):\n        s = s * 0.5 + k * a - b",
        "for a, b in zip(x[i:], y[j:]):\n        s = s * 0.5 + a * b",
        "for a, b in zip(x[i:], y):\n        s = s * 0.5 + a * b",
        "s = sum([a * b for a, b in zip(x[i:], y)])",
    ],
)
def test_slices_that_begin_apart_are_put_in_front(body):
    """What is counted beside them, and what begins elsewhere, goes by the place within the slice."""
    source = f"def f(x, y, t):\n    i, j = jnp.argmax(x > t), jnp.argmax(y < t)\n    s = 0.0\n    {body}\n    return s\n"
    assert check(source, *((x, X + 1, t) for x, t in CALLS)).rewrites[0].verified


def test_a_slice_that_may_begin_before_the_first_place_is_counted_from_the_end():
    """`x[i - 1:]` is the last element alone where i is 0: no slice of a shorter part is that."""
    source = "def f(x, t):\n    i = jnp.argmax(x > t)\n    return sum(a * b for a, b in zip(x[i - 1:], x[i:]))\n"
    assert "x[:-1]" not in check(source, *CALLS).rewrites[0].source
