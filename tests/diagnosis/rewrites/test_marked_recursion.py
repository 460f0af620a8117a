"""Recursion that marks what it reaches, and gives nothing."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import check, define, offered, propose

A = jnp.array([[0, 2, 0, 0], [2, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
GRID = jnp.array([[1, 1, 0, 1], [0, 1, 0, 1], [1, 0, 0, 0]])
HELPER = """
def spread(near, u, least, seen):
    seen[u] = True
    for v in range(len(seen)):
        if near[u, v] >= least and not seen[v]:
            spread(near, v, least, seen)


def f(near, first, least):
    seen = [False] * near.shape[0]
    spread(near, first, least, seen)
    return sum(seen)
"""
WITHIN = """
def f(near, first, least):
    seen = [False] * near.shape[0]

    def visit(u):
        seen[u] = True
        for v in range(len(seen)):
            if near[u, v] >= least:
                if not seen[v]:
                    visit(v)

    visit(first)
    return sum(seen)
"""


@pytest.mark.parametrize("source", [HELPER, WITHIN], ids=["helper", "within"])
def test_all_that_is_reached_from_a_place(source):
    """A stack, with a mark for what is put there: the number of items is known then."""
    calls = [(A, jnp.array(0), 1), (A, jnp.array(3), 1), (A, jnp.array(2), 2), (A * 0, jnp.array(1), 1)]
    found = check(source, *calls, seconds=20.0)
    assert "while_loop" in found.rewrites[0].patterns and not found.rewrites[0].static_argnames


def test_the_number_of_parts_that_hang_together():
    source = (
        "def f(adj):\n    n = len(adj)\n    seen = [False] * n\n\n    def dfs(u):\n        seen[u] = True\n"
        "        for v in range(n):\n            if adj[u, v] > 0 and not seen[v]:\n                dfs(v)\n\n    count = 0\n"
        "    for u in range(n):\n        if not seen[u]:\n            dfs(u)\n            count += 1\n    return count\n"
    )
    check(source, (A,), (A * 0,), (jnp.ones((4, 4), int),), (A[:2, :2],), seconds=20.0)


def test_places_of_a_grid():
    """Two numbers name a place, and neighbours are tried one by one."""
    source = (
        "def f(g, r0, c0):\n    n, m = g.shape\n    seen = np.zeros((n, m), bool)\n\n    def fill(r, c):\n"
        "        seen[r, c] = True\n        for dr, dc in ((1, 0), (-1, 0), (0, 1), (0, -1)):\n"
        "            i, j = r + dr, c + dc\n"
        "            if 0 <= i < n and 0 <= j < m and g[i, j] == g[r, c] and not seen[i, j]:\n                fill(i, j)\n\n"
        "    fill(r0, c0)\n    return seen.sum()\n"
    )
    check(source, (GRID, 0, 0), (GRID, 0, 3), (GRID * 0, 1, 1), (GRID[:2, :2], 1, 0), seconds=20.0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("                    visit(v)\n", "                    visit(v)\n        order.append(u)\n"),
        ("not seen[v]:", "not seen[v] and not seen[v - 1]:"),
        (
            "            if near[u, v] >= least:\n",
            "            total[0] = total[0] + near[u, v]\n            if near[u, v] >= least:\n",
        ),
        ("if not seen[v]:", "if near[v, u] > 0:"),
        ("if not seen[v]:", "if not seen[v] and sum(seen) < 3:"),
        ("seen[u] = True", "seen[u] = u + 1"),
        ("if not seen[v]:", "if not seen[v] and not order.append(v):"),
    ],
    ids=["behind the calls", "another mark", "something else", "no mark asked", "all marks", "a mark of its own", "a call"],
)
def test_where_the_order_counts_nothing_is_turned_into_a_stack(old, new):
    named = WITHIN.replace("    seen = ", "    order, total = [], [0]\n    seen = ", 1)
    assert "while" in offered(named, A, 0, 1)
    source = named.replace(old, new)
    assert source != named and "while" not in offered(source, A * 0, 0, 1)
    assert not propose(define(source)["f"], (A * 0, 0, 1), {}, seconds=10.0).rewrites


def test_what_comes_with_a_place_is_no_part_of_it():
    """How far it may still go, and what is counted on the way, are another number for each of the ways there."""
    source = (
        "def f(near, first, least):\n    seen = [0] * near.shape[0]\n\n    def visit(u, d{}):\n        seen[u] = {}\n"
        "        for v in range(len(seen)):\n            if near[u, v] >= least and seen[v] == 0{}:\n"
        "                visit(v, {})\n\n    visit(first, {})\n    return sum(seen)\n"
    )
    assert "while" in offered(source.format("", "d", "", "d", "1"), A, 0, 1)
    for parts in (("", "1", " and d > 0", "d - 1", "2"), ("", "d", "", "d + 1", "1"), ("=1", "d", "", "d", "1")):
        assert "while" not in offered(source.format(*parts), A, 0, 1)
    grown = source.format("", "1", "", "d", "1").replace("        for v", "        d = d + 1\n        for v")
    assert "while" not in offered(grown, A, 0, 1)


def test_a_call_on_the_line_of_its_test():
    source = WITHIN.replace("if not seen[v]:\n                    visit(v)\n", "if not seen[v]: visit(v)\n")
    assert "seen[v]: visit(v)" in source
    check(source, (A, jnp.array(0), 1), (A, jnp.array(3), 1), (A, jnp.array(2), 2), seconds=20.0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("if not seen[v]:", "if not seen[v] and n < 2:\n                    n = n + 1"),
        ("if not seen[v]:\n", "if seen[v]:\n                    n = 1\n                if n < 1 and not seen[v]:\n"),
        (
            "if not seen[v]:\n",
            "if not seen[v - 1]:\n                    visit(v - 1)\n                if seen[v - 1] and not seen[v]:\n",
        ),
        ("seen[u] = True", "seen[u] = next(numbers)"),
    ],
    ids=["counted", "met", "under another's mark", "numbered"],
)
def test_what_is_marked_meanwhile_may_not_count(old, new):
    """A stack marks what it is to look at before it looks at anything of it."""
    named = WITHIN.replace("        seen[u] = True\n", "        seen[u] = True\n        n = 0\n")
    assert "while" in offered(named, A, 0, 1)
    source = named.replace(old, new)
    assert source != named and "while" not in offered(source, A, 0, 1)
