"""Selections that a loop makes one after the other, and that are joined, are one selection of what they are selected from."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X = jnp.array([[1.0, -2.0, 3.0], [5.0, 0.5, -4.0], [2.0, 2.5, 1.5]])
MANY = jnp.array([2, 3, 1])
CALLS = [(X, MANY), (X * 2, jnp.array([1, 0, 3])), (-X[:2], jnp.array([3, 2]))]


@pytest.mark.parametrize(
    "body",
    [
        "return jnp.concatenate([row[row > 0] for row in x]).mean()",
        "return jnp.concatenate([x[i, : n[i]] for i in range(len(x))], axis=0).sum()",
        "flat = jnp.hstack([row[:k] for row, k in zip(x, n)])\n    return flat.std(), len(flat)",
        "parts = [row[row > k] for row, k in zip(x, n)]\n    return jnp.concatenate(parts).sum() / len(parts)",
        "parts = []\n    for row in x:\n        parts.append(row[row > 0])\n    return jnp.median(jnp.concatenate(parts))",
        "parts = []\n    for row, k in zip(x, n):\n        keep = row < row.mean() + k\n        parts.append(row[keep])\n"
        "    joined = jnp.concatenate(parts)\n    return jnp.sort(joined)[-1], joined.size, len(parts)",
        "parts = []\n    for row in x:\n        some = row[row > 0]\n        if len(some) > 0:\n"
        "            parts.append(some)\n    return jnp.concatenate(parts).mean()",
        "first, parts = x[0], []\n    for k in n:\n        parts.append(first[k - 1 : k + 1])\n"
        "    return jnp.concatenate(parts).max()",
    ],
)
def test_what_is_joined_is_one_selection(body):
    """Each was said to need a value of a length that depends on data, for which there is no array of a fixed shape."""
    assert check(f"def f(x, n):\n    {body}\n", *CALLS).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "parts = []\n    for row in x:\n        parts.append(row[row > 0])\n"
        "    return jnp.concatenate(parts).sum() + parts[0].sum()",
        "parts = [row[row > 0] for row in x]\n    parts = parts[1:]\n    return jnp.concatenate(parts).sum()",
    ],
)
def test_parts_that_are_read_by_themselves_are_not_joined_alone(body):
    found = propose(define(f"def f(x, n):\n    {body}\n")["f"], CALLS[0], {})
    assert not any("parts_kept" in each.source for each in found.rewrites)


def test_pieces_of_rows_make_a_whole():
    """A crossover: the rows were looked up, and only names were known to be cut twice."""
    source = "def f(x, i, j, cut):\n    return jnp.concatenate([x[i][:cut], x[j][cut:]])\n"
    calls = [(X, jnp.array(0), jnp.array(1), jnp.array(cut)) for cut in (1, 0, 3)]
    assert "jnp.arange(x[i].shape[0]) < cut" in check(source, *calls).rewrites[0].source
