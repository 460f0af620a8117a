"""Lists that a loop begins anew at each gap are groups by how many gaps came before."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import check, check_with_gradients, offered

X = jnp.array([1.0, 1.5, 3.0, 3.25, 3.75, 9.0])
CALLS = [(X, 1.0), (X, 10.0), (X, 0.125), (X[::-1], 1.0), (jnp.array([0.0, 5, 5.5, 6, 20, 20.5]), 1.0)]
BY_THE_LAST = (
    "clusters = [[x[0]]]\n    for v in x[1:]:\n        if v - clusters[-1][-1] > gap:\n"
    "            clusters.append([v])\n        else:\n            clusters[-1].append(v)\n    "
)
BY_A_NAME = (
    "clusters = []\n    last = None\n    for t in x:\n        if last is None or abs(t - last) >= gap:\n"
    "            clusters.append([t])\n        else:\n            clusters[-1].append(t)\n        last = t\n    "
)
BY_PLACE = (
    "clusters = [[x[0]]]\n    for i in range(1, x.shape[0]):\n        if x[i] - x[i - 1] <= gap:\n"
    "            clusters[-1].append(x[i])\n        else:\n            clusters.append([x[i]])\n    "
)
ONE_AT_A_TIME = (
    "clusters = []\n    current = [x[0]]\n    for v in x[1:]:\n        if v > current[-1] + gap:\n"
    "            clusters.append(current)\n            current = [v]\n        else:\n            current.append(v)\n"
    "    clusters.append(current)\n    "
)
WHILE_CLOSE = (
    "clusters = []\n    for i in x:\n        if clusters and i - clusters[-1][-1] < gap:\n"
    "            clusters[-1].append(i)\n        else:\n            clusters.append([i])\n    "
)
LOOPS = [BY_THE_LAST, BY_A_NAME, BY_PLACE, ONE_AT_A_TIME, WHILE_CLOSE]


@pytest.mark.parametrize("loop", LOOPS)
def test_their_number_and_sizes(loop):
    """No rewrite of the whole was known."""
    check(f"def f(x, gap):\n    {loop}return len(clusters), max(len(c) for c in clusters)\n", *CALLS, seconds=20.0)


@pytest.mark.parametrize("loop", LOOPS)
def test_what_is_computed_of_each(loop):
    body = "return sum(c[-1] * c[0] for c in clusters) + max(sum(c) for c in clusters) / len(clusters)"
    check_with_gradients(f"def f(x, gap):\n    {loop}{body}\n", *CALLS, seconds=20.0)


def test_so_for_lists_that_are_read_by_a_loop():
    body = "total = 0.0\n    for c in clusters:\n        if len(c) > 1:\n            total += jnp.mean(jnp.array(c)) ** 2\n"
    body += "    return total"
    check_with_gradients(f"def f(x, gap):\n    x = jnp.sort(x)\n    {BY_A_NAME}{body}\n", *CALLS, seconds=20.0)


@pytest.mark.parametrize(
    "loop",
    [
        BY_THE_LAST.replace("clusters[-1][-1]", "clusters[-1][0]"),
        BY_THE_LAST.replace("x[1:]", "x[2:]"),
        BY_THE_LAST.replace("[[x[0]]]", "[[x[1]]]"),
        BY_THE_LAST.replace("> gap", "> gap * len(clusters)"),
        BY_A_NAME.replace("        last = t\n", ""),
        BY_PLACE.replace("x[i - 1]", "x[i - 2]"),
        ONE_AT_A_TIME.removesuffix("clusters.append(current)\n    "),
    ],
)
def test_a_loop_that_does_anything_else_stays(loop):
    source = f"def f(x, gap):\n    {loop}return len(clusters), max(len(c) for c in clusters)\n"
    assert "clusters" not in offered(source, *CALLS[0], seconds=3.0)
