"""Lists of numbers that Python's own functions keep in order, of a length that is known while tracing."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X = jnp.array([3.0, 1.0, 5.0, 2.0, 4.0, 2.0])
CALLS = [(X, 2), (-X, 2), (X[::-1], 3), (X * 0, 2)]
IMPORTS = "import bisect\nimport heapq\n\n\n"


@pytest.mark.parametrize(
    "body",
    [
        "top = list(x[:k])\n    top.sort()\n    for v in x[k:]:\n        if v > top[0]:\n            top[0] = v\n"
        "            top.sort()\n    return jnp.array(top)",
        "top = sorted(x[:k], reverse=True)\n    for v in x[k:]:\n        if v > top[-1]:\n            top[-1] = v\n"
        "            top.sort(reverse=True)\n    return sum(top) / k",
        "heap = []\n    for v in x:\n        heapq.heappush(heap, v)\n        if len(heap) > k:\n"
        "            heapq.heappop(heap)\n    return sum(heap) + heap[0]",
        "heap = list(x[:k])\n    heapq.heapify(heap)\n    for v in x[k:]:\n        heapq.heappushpop(heap, v)\n"
        "    return heap[0]",
        "heap = list(x[:k])\n    heapq.heapify(heap)\n    for v in x[k:]:\n        if v > heap[0]:\n"
        "            heapq.heapreplace(heap, v)\n    return sorted(heap)",
        "heap = list(x)\n    heapq.heapify(heap)\n    cost = 0.0\n    while len(heap) > 1:\n"
        "        both = heapq.heappop(heap) + heapq.heappop(heap)\n        cost += both\n"
        "        heapq.heappush(heap, both)\n    return cost",
        "found = []\n    for v in x:\n        bisect.insort(found, v)\n    return found[len(found) // 2] + found[k]",
        "best = [-jnp.inf] * k\n    for v in x:\n        least = min(best)\n        if v > least:\n"
        "            best[best.index(least)] = v\n    return jnp.array(sorted(best))",
    ],
)
def test_numbers_that_are_kept_in_order_are_sorted_in_one(body):
    """Of a list's own `sort` in a branch, of `heapq` and of `bisect.insort` nothing was known."""
    assert check(f"{IMPORTS}def f(x, k):\n    {body}\n", *CALLS, static=("k",)).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "found.append(x[0])\n    found.sort()\n    return found[0]",  # the caller's, who sees it change
        "heap = []\n    other = heap\n    for v in x:\n        heapq.heappush(heap, v)\n    return other[0]",
    ],
)
def test_a_list_with_another_name_is_left(body):
    source = f"{IMPORTS}def f(x, found):\n    {body}\n"
    found = propose(define(source)["f"], (X, [jnp.array(2.0), jnp.array(1.0)]), {})
    assert not any("list(jnp.sort" in each.source for each in found.rewrites)


def test_the_order_of_a_heap_is_its_own():
    """Sorted, its items stand otherwise: such code is not proven."""
    source = (
        f"{IMPORTS}def f(x):\n    heap = []\n    for v in x:\n        heapq.heappush(heap, v)\n    return jnp.array(heap)\n"
    )
    assert not propose(define(source)["f"], (X,), {}).rewrites
