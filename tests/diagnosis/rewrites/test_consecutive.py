"""Neighbours in a list whose length is data, however they are spelled."""

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
