"""Searches through a grid whose queue holds tuples of tuples, and whose distances are a dict of places."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

OPEN = jnp.array([[0, 0, 1], [1, 0, 1], [0, 0, 0]])
SHUT, ROUND = jnp.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]), jnp.array([[0, 0, 0], [0, 1, 0], [0, 1, 0]])

STEPS = "    for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):\n            i, j = r + dr, c + dc\n"
FREE = "0 <= i < grid.shape[0] and 0 <= j < grid.shape[1] and grid[i, j] == 0"

NESTED = f"""
from collections import deque

def f(grid):
    waiting, met = deque([((0, 0), 0)]), {{(0, 0)}}
    while waiting:
        (r, c), far = waiting.popleft()
        if (r, c) == (2, 2):
            return far
    {STEPS}            if {FREE} and (i, j) not in met:
                met.add((i, j))
                waiting.append(((i, j), far + 1))
    return -1
"""
KEPT = f"""
def f(grid):
    far = {{(0, 0): 0}}
    waiting = [(0, 0)]
    while waiting:
        r, c = waiting.pop(0)
    {STEPS}            if {FREE} and (i, j) not in far:
                far[(i, j)] = far[(r, c)] + 1
                waiting.append((i, j))
    END
"""


@pytest.mark.parametrize(
    "source",
    [
        NESTED.replace("waiting, met = deque([((0, 0), 0)]), {(0, 0)}", "waiting = deque([((0, 0), 0)])\n    met = {(0, 0)}"),
        KEPT.replace("END", "return far.get((2, 2), -1)"),
        KEPT.replace("END", "return len(far), far[(2, 2)] if (2, 2) in far else -1"),
    ],
)
def test_a_search_through_a_grid_is_compiled(source):
    check(source, (OPEN,), (SHUT,), (ROUND,), seconds=10.0)


def test_a_place_beyond_the_grid_is_none_of_the_dict():
    """A mask tells of its last place for one beyond it."""
    check(KEPT.replace("END", "return far.get((2, 2), -1)"), (OPEN,), (OPEN[:2, :2],), (OPEN[:2],), seconds=10.0)


CAUGHT = "try:\n        return far[(2, 2)]\n    except KeyError:\n        return -1"


@pytest.mark.parametrize("end", ["return sum(far.values())", "return max(far)", "far.pop((0, 0))\n    return len(far)", CAUGHT])
def test_a_dict_of_which_more_is_asked_stays(end):
    assert "set" not in offered(KEPT.replace("END", end), OPEN)


def test_parts_that_are_taken_out_whole_stay_together():
    source = NESTED.replace("(r, c), far = waiting.popleft()", "at, far = waiting.popleft()\n        r, c = at")
    source = source.replace(
        "waiting, met = deque([((0, 0), 0)]), {(0, 0)}", "waiting = deque([((0, 0), 0)])\n    met = {(0, 0)}"
    )
    assert "tuples" not in offered(source.replace("if (r, c)", "if at"), OPEN)
