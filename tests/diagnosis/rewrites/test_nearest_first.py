"""Shortest paths by a heap of (distance, place)."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

W = jnp.array([[0.0, 2.0, 5.0, 0.0], [2.0, 0.0, 1.0, 7.0], [5.0, 1.0, 0.0, 3.0], [0.0, 7.0, 3.0, 0.0]])
APART = W.at[3].set(0.0).at[:, 3].set(0.0)
TIES = jnp.array([[0.0, 1.0, 1.0, 2.0], [1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 1.0], [2.0, 1.0, 1.0, 0.0]])
IMPORTS = "import heapq\nfrom heapq import heappop, heappush\n\n"
SERVED = {
    "a list": """
def f(W, s, t):
    n = len(W)
    dist = [float("inf")] * n
    dist[s] = 0.0
    heap = [(0.0, s)]
    while heap:
        d, u = heapq.heappop(heap)
        if d > dist[u]:
            continue
        for v in range(n):
            if W[u, v] > 0 and d + W[u, v] < dist[v]:
                dist[v] = d + W[u, v]
                heapq.heappush(heap, (dist[v], v))
    return jnp.array(dist)
""",
    "the way back": """
def f(W, s, t):
    n = len(W)
    dist, prev = np.full(n, np.inf), np.full(n, -1)
    dist[int(s)] = 0.0
    heap = [(0.0, int(s))]
    while len(heap) > 0:
        d, u = heapq.heappop(heap)
        if dist[u] < d:
            continue
        for v in range(n):
            w = W[u, v]
            if w > 0:
                nd = d + float(w)
                if nd < dist[v]:
                    dist[v] = nd
                    prev[v] = u
                    heapq.heappush(heap, (nd, v))
    return dist, prev
""",
    "until the goal": """
def f(W, s, t):
    n = W.shape[0]
    dist = jnp.full(n, jnp.inf).at[s].set(0.0)
    seen = set()
    heap = []
    heappush(heap, (0.0, s))
    while heap:
        d, u = heappop(heap)
        if u == t:
            return d
        if int(u) in seen:
            continue
        seen.add(int(u))
        for v in range(n):
            nd = d + W[u, v]
            if W[u, v] > 0 and nd < dist[v]:
                dist = dist.at[v].set(nd)
                heappush(heap, (nd, v))
    return jnp.inf
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_the_nearest_place_that_is_pending_is_taken(how):
    """From each place, with one that is not reached, and where several are as near; a split was said."""
    calls = [(w, jnp.array(s), jnp.array(t)) for w, s, t in ((W, 0, 3), (W, 3, 1), (APART, 1, 3), (TIES, 2, 0), (TIES, 0, 0))]
    found = check(IMPORTS + SERVED[how], *calls, seconds=20.0)
    assert "pending" in str(found.rewrites[0].sources)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("heapq.heappush(heap, (dist[v], v))", "heapq.heappush(heap, (dist[v] + v, v))"),  # not by its distance
        ("return jnp.array(dist)", "return jnp.array(dist), len(heap)"),  # how many entries there are is asked
        ("heap = [(0.0, s)]", "heap = [(0.0, s), (1.0, t)]"),
        ("dist[v] = d + W[u, v]\n", "dist[u] = d + W[u, v]\n"),
    ],
)
def test_a_heap_of_something_else_is_not_taken_for_one(old, new):
    """Its order is not that of the distances, or entries that were overtaken count."""
    assert old in SERVED["a list"]
    source = IMPORTS + SERVED["a list"].replace(old, new)
    assert "argmin" not in offered(source, W, jnp.array(0), jnp.array(3), seconds=2.0)
