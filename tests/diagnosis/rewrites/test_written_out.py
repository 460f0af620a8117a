"""Selections that are kept in a tuple, a list or a dict are followed where they are read."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X, LABELS = jnp.array([1.0, -2.0, 3.0, 5.0, 0.5]), jnp.array([0, 1, 2, 1, 0])
CALLS = [(X, LABELS), (X[:4] * 2, jnp.array([2, 0, 1, 2])), (-X, jnp.array([1, 1, 0, 2, 2]))]


@pytest.mark.parametrize(
    "body",
    [
        "parts = (x[labels == 0], x[labels == 1])\n    return parts[0].mean() - parts[-1].sum()",
        "parts = [x[labels == 0], x[labels != 0]]\n    a, b = parts\n    return a.mean() - b.mean() + len(parts)",
        "parts = x[labels == 0], x[labels == 1]\n    return sum(p.sum() ** 2 / len(p) for p in parts)",
        "parts = {'in': x[labels == 0], 'out': x[labels == 1]}\n    return parts['in'].mean() - parts['out'].std()",
        "parts = {'in': x[labels == 0], 'out': x[labels == 1]}\n    return {k: v.mean() for k, v in parts.items()}",
        "parts = {'in': x[labels == 0], 'out': x[labels == 1]}\n    return [p.max() for p in parts.values()]",
        "total = 0.0\n    for v in (x[labels == 0], x[labels == 1]):\n        total += v.mean() ** 2\n    return total",
        "for v in (x[labels == 0], x[labels == 1]):\n        x = x - v.mean()\n    return x",
        "return sum(v.mean() * v.sum() for v in (x[x > x.mean()], x[labels == 1])) + 1",
        "return max([v.mean() for v in (x[labels == 0], x[labels == 1])])",
        "parts = [x[labels == k] for k in range(2)]\n    return parts[0].mean() + parts[1].sum()",
        "parts = [x[labels == k] for k in range(2)]\n    return sum(p.mean() for p in parts) / len(parts)",
        "parts = [x[labels == k] for k in (0, 1)]\n    y = 1.0\n    for p in parts:\n        y = y * p.sum()\n    return y",
        "return {k: x[labels == k].mean() for k in range(3)}",
        "parts = []\n    for k in range(2):\n        parts.append(x[labels == k])\n    return max(p.sum() for p in parts)",
        "parts = []\n    parts.append(x[labels == 0])\n    parts.append(x[labels == 1])\n"
        "    return parts[0].sum() - parts[1].mean()",
        "parts = {}\n    parts['a'] = x[labels == 0]\n    parts['b'] = x[labels == 1]\n"
        "    return parts['a'].sum() / len(parts['b'])",
        "parts = Split(x[labels == 0], b=x[labels == 1])\n    return parts.a.mean() - parts[1].mean()",
        "parts = [x[labels == k] for k in range(2)]\n    a, b = parts\n    return (a.mean() - b.mean()) / (len(a) + len(b))",
        "parts = [x[labels == k] for k in range(3)]\n    return sum(i * parts[i].sum() for i in range(3))",
        "best = None\n    for k, g in enumerate([x[labels == 0], x[labels == 1]]):\n"
        "        if best is None or g.sum() + k > best:\n"
        "            best = g.sum() + k\n    return best",
        "return {f'class {k}': (x[labels == k] ** 2).sum() for k in range(3)}",
    ],
)
def test_selections_in_a_container_are_followed_where_they_are_read(body):
    """The tuple was said to need a value of a length that depends on data, and of a dict nothing was known at all."""
    source = f"import collections\nSplit = collections.namedtuple('Split', 'a b')\n\n\ndef f(x, labels):\n    {body}\n"
    assert check(source, *CALLS).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "parts = (x[labels == 0], x[labels == 1])\n    parts = parts[::-1]\n    return parts[0].sum() - parts[1].mean()",
        "parts = (x[labels == 0], x[labels == 1])\n    return show(parts)",
        "parts = []\n    parts.append(x[labels == 0])\n    n = len(parts)\n    parts.append(x[labels == 1])\n"
        "    return parts[0].sum() + n",
        "parts = [x[labels == k] for k in range(2)]\n    i = -1\n    return parts[i].sum()",
    ],
)
def test_containers_that_are_used_as_a_whole_stay(body):
    """No name stands for them; nothing wrong is said to be proven."""
    source = f"def show(parts):\n    return sum(map(jnp.sum, parts))\n\n\ndef f(x, labels):\n    {body}\n"
    found = propose(define(source)["f"], CALLS[0], {})
    assert not any("parts_0" in each.source for each in found.rewrites)


@pytest.mark.parametrize(
    "body",
    [
        "parts = (x[labels == 0].mean(), x[labels == 1].mean())\n    return parts[0] - parts[1]",
        "parts = {'a': x[labels == 0].sum()}\n    parts['b'] = x[labels == 1].sum()\n    return parts",
        "parts = []\n    for k in range(2):\n        parts.append(x[labels == k].mean())\n    return jnp.stack(parts)",
        "parts = [x[labels == k].mean() for k in (0, 1)]\n    return parts[0] - parts[1]",
    ],
)
def test_a_container_of_what_was_made_of_selections_stays_as_it_was_typed(body):
    found = check(f"def f(x, labels):\n    {body}\n", *CALLS).rewrites[0].source
    assert "parts_" not in found and " for k in range(2)]" not in found and "parts" in found
