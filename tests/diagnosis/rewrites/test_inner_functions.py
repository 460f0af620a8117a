"""Functions within a function that set items of a list around them."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

BY_HALVES = (
    "    def find(x):\n        while parent[x] != x:\n            parent[x] = parent[parent[x]]\n            x = parent[x]\n"
    "        return x\n"
)
BY_ITSELF = "    def find(x):\n        if parent[x] != x:\n            parent[x] = find(parent[x])\n        return parent[x]\n"
GROUPS = (
    "    groups = 6\n    for u, v in edges:\n        a, b = find(u), find(v)\n        if a != b:\n            parent[a] = b\n"
    "            groups -= 1\n    return groups\n"
)
EDGES = jnp.array([[0, 1], [2, 3], [1, 3], [3, 0], [4, 4]])
CALLS = [(EDGES,), (EDGES[:1],), (EDGES[::-1],), (EDGES * 0,), (EDGES % 2 + 3,)]


@pytest.mark.parametrize("find", [BY_HALVES, BY_ITSELF])
def test_the_array_is_given_to_the_inner_function_and_comes_back(find):
    found = check(f"def f(edges):\n    parent = list(range(6))\n{find}{GROUPS}", *CALLS)
    assert "find_0, parent = find(u, parent)" in found.rewrites[0].source


def test_calls_in_a_test_and_beside_what_they_set():
    source = (
        f"def f(edges):\n    parent = list(range(6))\n{BY_HALVES}    for u, v in edges:\n        if find(u) == find(v):\n"
        "            return True\n        parent[find(u)] = find(v)\n    return False\n"
    )
    check(source, *CALLS)


@pytest.mark.parametrize(
    "line",
    [
        "        a, b = find(u), parent[v] + find(v)\n",  # what is read beside a call, which may change it
        "        a, b = [find(w) for w in (u, v)]\n",  # a call that is made more than once
        "        a, b = map(find, (u, v))\n",
    ],
)
def test_calls_that_cannot_be_made_beforehand_are_left(line):
    source = f"def f(edges):\n    parent = list(range(6))\n{BY_HALVES}{GROUPS}".replace(
        "        a, b = find(u), find(v)\n", line
    )
    found = propose(define(source)["f"], (EDGES,), {})
    assert not any("find(x, parent)" in each.source for each in (*found.rewrites, *found.unverified))
