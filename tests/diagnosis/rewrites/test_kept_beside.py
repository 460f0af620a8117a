"""Items that a test on data keeps of a number that is known: each stands beside whether it is kept."""

import jax.numpy as jnp
import pytest

from .helpers import check, check_with_gradients, offered

B = jnp.array([[1, 0, -2], [0, 3, 0], [0, 0, -1]])
POINTS = jnp.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])

LOOPS = {
    "a loop over tuples": """
def f(b):
    pieces = [(r, c, int(b[r, c])) for r in range(3) for c in range(3) if b[r, c] != 0]
    score = 0
    for r, c, p in pieces:
        if p > 0:
            score += r * p
        else:
            score -= c
    return score
""",
    "a tuple in a tuple, left early in a round": """
def f(b):
    pieces = [((r, c), b[r, c]) for r in range(3) for c in range(3) if b[r, c] != 0 if r != 1]
    score = 0
    for (r, c), p in pieces:
        if p > 0:
            continue
        score += r + 10 * c
    return score
""",
    "a pair of those kept": """
def f(b):
    ones = [(r, b[r, c]) for r in range(3) for c in range(3) if b[r, c] != 0]
    less = 0
    for r, p in ones:
        for q, other in ones:
            if r < q and p > other:
                less += 1
    return less
""",
    "asked whether it is empty": """
def f(b):
    big = [(r, c) for r in range(3) for c in range(3) if b[r, c] > 2]
    score = 0
    for r, c in big:
        score += 3 * r + c + 1
    return score if big else -1
""",
}


@pytest.mark.parametrize("source", LOOPS.values(), ids=LOOPS)
def test_a_loop_over_what_is_kept_asks_each_item(source):
    # other data keeps other items, or none
    found = check(source, (B,), (-B,), (B * 0,), (B.T * 3,))
    assert "kept" in found.rewrites[0].patterns
    assert ("kept_inside" in found.rewrites[0].source) == (source is LOOPS["a pair of those kept"])  # no name for two flags


def test_what_is_not_kept_takes_no_part_in_a_gradient():
    # the distance of a pair that is left out may be 0, where 1 / d has no derivative
    source = """
def f(xy, r):
    pairs = [(i, j) for i in range(len(xy)) for j in range(i + 1, len(xy)) if abs(((xy[i] - xy[j]) ** 2).sum() - 2.5) < r]
    energy = 0.0
    for i, j in pairs:
        energy = energy + 1 / jnp.sqrt(((xy[i] - xy[j]) ** 2).sum())
    return energy * len(pairs)
"""
    twice = POINTS.at[1].set(POINTS[0])
    check_with_gradients(source, (POINTS, 2.0), (twice, 2.0), (POINTS, 0.0))


def test_a_list_that_is_read_by_place_is_left():
    # the second of those kept stands at no place that is known
    source = """
def f(b):
    pieces = [(r, b[r, 0]) for r in range(3) if b[r, 0] != 7]
    total = pieces[1][1]
    for r, p in pieces:
        total += r * p
    return total
"""
    assert "kept" not in offered(source, B)


def test_the_last_of_those_kept_is_not_the_last_of_all():
    # the loop's variable is read behind it
    source = "def f(b):\n    big = [(r, b[r, 0]) for r in range(3) if b[r, 0] > 0]\n    r = -1\n"
    source += "    for r, v in big:\n        pass\n    return r\n"
    assert "kept" not in offered(source, B)
