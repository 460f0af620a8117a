"""Lists from whose end items are taken as long as data says so: chains of points, stacks that stay sorted."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import check

X = jnp.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0])
POINTS = jnp.array([[0.0, 0.0], [1.0, 0.2], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0], [1.0, 1.0]])
CROSS = "def cross(o, a, b):\n    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])\n\n\n"
FILLED = "    h = []\n    for v in x:\n        while h and h[-1] > v:\n            h.pop()\n        h.append(v)\n"


@pytest.mark.parametrize(
    "read",
    [
        "sum(b - a for a, b in zip(h, h[1:]))",
        "sum(a * b - c for a, b, c in zip(h, h[1:], h[2:]))",
        "max((b - a for a, b in zip(h, h[1:])), default=0.0)",
    ],
)
def test_neighbours_of_what_is_left(read):
    """`zip` ends where its shortest list does: with the part that is cut most."""
    check(f"def f(x):\n{FILLED}    return {read}\n", (X,), (X[::-1],), (jnp.sort(X),), (X[:3],), seconds=20.0)


def test_the_area_below_a_chain_of_points():
    """Each item is a row."""
    source = (
        f"{CROSS}def f(points):\n    hull = []\n    for p in points:\n"
        "        while len(hull) >= 2 and cross(hull[-2], hull[-1], p) <= 0:\n            hull.pop()\n        hull.append(p)\n"
        "    return sum(a[0] * b[1] - a[1] * b[0] for a, b in zip(hull, hull[1:]))\n"
    )
    check(source, (POINTS,), (POINTS[::-1],), (POINTS[:3] * 2,), seconds=20.0)


def test_a_list_of_rows_made_anew_for_each_of_several_arrays():
    """Its rows are as long as those of the array that the loop around it holds at the time."""
    source = (
        f"{CROSS}def f(points):\n    points = points[jnp.lexsort((points[:, 1], points[:, 0]))]\n    area = 0.0\n"
        "    for chain in (points, points[::-1]):\n        hull = []\n        for p in chain:\n"
        "            while len(hull) >= 2 and cross(hull[-2], hull[-1], p) <= 0:\n                hull.pop()\n"
        "            hull.append(p)\n        area = area + sum(a[0] * b[1] - a[1] * b[0] for a, b in zip(hull, hull[1:]))\n"
        "    return area / 2\n"
    )
    check(source, (POINTS,), (POINTS * 3,), (POINTS[:4],), seconds=20.0)
