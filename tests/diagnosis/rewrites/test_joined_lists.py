"""Lists that a loop fills and that are put together by `+`."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

SIGNS = (
    "def f(x):\n    low, high = [], []\n    for v in x:\n        if v < 0:\n            low.append(v)\n"
    "        elif v > 1:\n            high.append(v)\n"
)
X = jnp.array([2.0, -1.0, 5.0, -3.0, 4.0, 0.5])
CALLS = [(X,), (jnp.array([5.0, 4.0, 3.0]),), (jnp.array([-1.0]),), (-X,)]


@pytest.mark.parametrize(
    "end",
    [
        "    both = jnp.array(low + high)\n    return both[0] + both.sum()\n",
        "    both = low[:-1] + high\n    return len(both), sum(both)\n",
        "    both = high[::-1] + low\n    total = 0.0\n    for v in both:\n        total = v - 0.5 * total\n    return total\n",
        "    return jnp.sum(jnp.array(low[:-1] + high[1:])), len(low + high)\n",
        "    return jnp.std(jnp.array(low + high + low))\n",
    ],
)
def test_lists_that_are_put_together_are_arrays_one_behind_the_other(end):
    assert "concatenate" in check(SIGNS + end, *CALLS).rewrites[0].patterns


CHAIN = (
    "def turn(o, a, b):\n    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])\n\n"
    "def half(pts):\n    chain = []\n    for p in pts:\n"
    "        while len(chain) >= 2 and turn(chain[-2], chain[-1], p) <= 0:\n            chain.pop()\n        chain.append(p)\n"
    "    return chain[:-1]\n\n"
    "def f(points):\n    pts = points[jnp.lexsort((points[:, 1], points[:, 0]))]\n"
)
P = jnp.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0], [1.0, 1.0], [1.5, 0.5]])


@pytest.mark.parametrize(
    "end",
    [
        "    hull = jnp.array(half(pts) + half(pts[::-1]))\n    nxt = jnp.roll(hull, -1, axis=0)\n"
        "    return 0.5 * jnp.abs(jnp.sum(hull[:, 0] * nxt[:, 1] - hull[:, 1] * nxt[:, 0]))\n",
        "    hull = half(pts) + half(pts[::-1])\n    corners = jnp.stack(hull)\n"
        "    sides = corners - jnp.roll(corners, 1, axis=0)\n"
        "    return jnp.sum(jnp.sqrt(jnp.sum(sides**2, axis=1))), len(hull)\n",
        "    lower = half(pts)\n    upper = half(pts[::-1])\n    return len(lower) + len(upper)\n",
    ],
)
def test_two_chains_that_a_helper_makes(end):
    """A convex hull: its lines stand in the place of both calls."""
    check(CHAIN + end, (P,), (P[:3],), (P[::-1],), (3.0 * P + jnp.array([[0.5, 1.0]]),), seconds=20.0)


def test_numbers_that_are_added_up_are_none():
    source = (
        "def f(x):\n    out = []\n    k = 0\n    while k < len(x) and x[k] > 0:\n        out.append(x[k] + x[k])\n"
        "        k += 1\n    return len(out) + sum(out)\n"
    )
    assert "concatenate" not in offered(source, X)
