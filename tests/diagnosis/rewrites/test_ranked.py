"""Lists that data puts in order, or of which a loop keeps the k best."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X = jnp.array([[0.5, 1.0], [2.0, 0.1], [0.3, 0.2], [1.5, 1.5], [0.9, 0.1]])
Y = jnp.array([0, 2, 1, 1, 0])
Q = jnp.array([0.4, 0.3])
EACH = "def f(X, y, q, k=2):\n    best = []\n    for i in range(len(X)):\n        d = jnp.sum((X[i] - q) ** 2)\n"
ALL_PAIRS = "def f(X, y, q, k=2):\n    best = []\n    for x, t in zip(X, y):\n        best.append((jnp.sum((x - q) ** 2), t))\n"
CALLS = [(X, Y, Q), (X[::-1], Y, Q), (X[:2], Y[:2], Q), (X[:1], Y[:1], Q)]


@pytest.mark.parametrize(
    "kept",
    [
        "        best.append((d, y[i]))\n        best = sorted(best)[:k]\n",
        "        best.append((d, y[i]))\n        best.sort(key=lambda t: t[0])\n        best = best[:k]\n",
        "        best.append((d, y[i]))\n        best.sort()\n        del best[k:]\n",
        "        best.append((d, y[i]))\n        best.sort()\n        if len(best) > k:\n            best.pop()\n",
        "        if len(best) < k or d < best[-1][0]:\n            best.append((d, i))\n            best.sort()\n"
        "            best = best[:k]\n",
    ],
)
def test_the_k_best_that_a_loop_keeps_are_the_first_of_all_in_order(kept):
    found = check(f"{EACH}{kept}    return jnp.array([c for _, c in best]), best[0][0], len(best)\n", *CALLS, static=("k",))
    assert "argsort" in found.rewrites[0].patterns


@pytest.mark.parametrize(
    "pushed",
    [
        "        heapq.heappush(heap, (-d, i))\n        if len(heap) > k:\n            heapq.heappop(heap)\n",
        "        if len(heap) < k:\n            heapq.heappush(heap, (-d, i))\n        else:\n"
        "            heapq.heappushpop(heap, (-d, i))\n",
    ],
)
def test_a_heap_of_bounded_size_is_the_first_of_all_in_order(pushed):
    end = "    return jnp.array([i for _, i in sorted(heap, reverse=True)]), len(heap)\n"
    check(f"import heapq\n{EACH.replace('best', 'heap')}{pushed}{end}", *CALLS, static=("k",))


def test_neighbours_under_another_name_are_put_in_order_by_their_key_alone():
    """Of equal distances the first comes first, whatever its label."""
    twice = jnp.concatenate([X, X])
    labels = jnp.concatenate([Y + 1, Y])
    found = check(
        f"{ALL_PAIRS}    near = sorted(best, key=lambda t: t[0])[:k]\n    return sum(t for _, t in near) / k\n",
        *[(twice, labels, Q), *CALLS[:2]],
        static=("k",),
    )
    assert "jnp.argsort(jnp.array(best_0))[:k]" in found.rewrites[0].source


def test_many_rows_fill_an_array_in_one_loop(monkeypatch):
    """However quick the machine: where a trace is not slow, all rows are traced one by one."""
    monkeypatch.setattr("jupyter_jitmagic.sandbox.clock.PACE", 1.0)  # with more time it is traced to its end, too
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.rewrites.engine.SLOW_TRACE", 0.0)
    many = jnp.sin(jnp.arange(400.0)).reshape(200, 2)
    end = "    best.sort(key=lambda t: t[0])\n    return jnp.stack([t[1] for t in best[:k]])\n"
    found = check(f"{ALL_PAIRS}{end}", (many, jnp.arange(200) % 7, Q), *CALLS[:3], static=("k",), seconds=20.0)
    assert "fori_loop" in found.rewrites[0].patterns
    assert "y.dtype)" in found.rewrites[0].source  # labels may be floats: there was room for integers alone


def test_a_list_whose_order_the_loop_reads_is_put_in_order_in_each_round():
    """Once behind the loop would be too late."""
    source = (
        f"{EACH}        best.append((d, y[i]))\n        best = sorted(best)[:k]\n        q = q + best[0][0]\n    return q\n"
    )
    check(source, *CALLS, static=("k",), seconds=10.0)


@pytest.mark.parametrize(
    "pushed",
    [
        "        if len(heap) < k:\n            heapq.heappush(heap, (-d, i))\n",
        "        if len(heap) < k or -d > heap[0][0]:\n            heapq.heappush(heap, (-d, i))\n",
    ],
)
def test_a_heap_that_keeps_the_first_or_grows_on_is_no_list_of_the_k_best(pushed):
    end = "    return jnp.array([i for _, i in sorted(heap, reverse=True)])\n"
    source = f"import heapq\n{EACH.replace('best', 'heap')}{pushed}{end}"
    found = propose(define(source)["f"], CALLS[0], {}, (), ("k",))
    assert not any("argsort" in obstacle for obstacle in found.obstacles) and not found.rewrites
