"""Lists that are copied, changed by data and kept where that is better: local search, annealing, chains of states."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis import diagnose
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

D = jnp.array([[0.0, 1.0, 5.0, 2.0], [1.0, 0.0, 2.0, 6.0], [5.0, 2.0, 0.0, 1.0], [2.0, 6.0, 1.0, 0.0]])
SWAPS = jnp.array([[0, 1], [2, 3], [1, 2]])
CALLS = [(D, SWAPS), (D.T * 2, SWAPS[::-1]), (D[:3, :3], SWAPS[2:]), (-D, jnp.array([[0, 0], [1, 3], [3, 0]]))]
HELPER = "def length(D, order):\n    return sum(D[order[k - 1], order[k]] for k in range(len(order)))\n"


@pytest.mark.parametrize("copy", ["order.copy()", "list(order)", "order[:]"])
def test_a_tour_whose_cities_change_places_is_kept_where_it_is_shorter(copy):
    source = f"""{HELPER}
def f(D, swaps):
    order = list(range(len(D)))
    cost = length(D, order)
    for i, j in swaps:
        trial = {copy}
        trial[i], trial[j] = trial[j], trial[i]
        new = length(D, trial)
        if new < cost:
            order, cost = trial, new
    return jnp.array(order), cost
"""
    check(source, *CALLS)


def test_the_best_of_all_is_kept_beside_the_one_that_is_gone_on_with():
    source = f"""{HELPER}
def f(D, swaps):
    order = list(range(len(D)))
    best, cost = order[:], length(D, order)
    least = cost
    for i, j in swaps:
        trial = order[:]
        trial[i], trial[j] = trial[j], trial[i]
        new = length(D, trial)
        if new < cost + 2.0:
            order = trial
            cost = new
            if cost < least:
                best, least = order.copy(), cost
    return jnp.array(best), least
"""
    check(source, *CALLS)


def test_a_list_stays_one_for_who_called():
    source = """def f(w, flips):
    state = [0] * len(w)
    value = 0.0
    for k in flips:
        other = list(state)
        other[k] = 1 - other[k]
        v = sum(a * b for a, b in zip(other, w))
        if v > value:
            state, value = other, v
    return state, value
"""
    check(source, (jnp.array([1.0, -2.0, 3.0]), jnp.array([0, 1, 2, 0])), (jnp.array([-1.0, 2.0]), jnp.array([0, 0, 1])))


SHARED = [
    ("other = list(state)\n    for k in flips:", "pass"),  # copied once: what is kept goes on changing
    ("for k in flips:\n        other = state", "pass"),
    ("for k in flips:\n        other = list(state)", "other[0] = 5"),
    ("for k in flips:\n        other = list(state)", "other.reverse()"),
]
SHARING = """def f(w, flips):
    state = [0] * len(w)
    value = 0.0
    {}
        other[k] = 1 - other[k]
        v = sum(a * b for a, b in zip(other, w))
        if v > value:
            state, value = other, v
        {}
    return jnp.array(state), value
"""


@pytest.mark.parametrize(("made", "later"), SHARED)
def test_what_is_kept_may_still_be_changed_where_it_is_the_same_list(made, later):
    """As many names as a list has, all see what is put into it; no draft is left to the judge."""
    w, flips = jnp.array([1.0, -2.0, 3.0]), jnp.array([0, 1, 2, 0])
    assert diagnose(define(SHARING.format("for k in flips:\n        other = list(state)", "pass"))["f"], w, flips).rewrites
    found = propose(define(SHARING.format(made, later))["f"], (w, flips), {})
    assert not found.rewrites and not any("rejected" in each for each in found.obstacles)


@pytest.mark.parametrize(
    "made", ["base = [1, 2, 3]\n    trial = base[:]", "base = {1: 0, 2: 0, 3: 0}\n    trial = list(base)", "trial = [1, 2, 3]"]
)
def test_a_copy_of_what_stays_a_list_takes_floats(made):
    body = f"{made}\n    order = trial\n    trial[i] = x[0] * 0.5\n    return jnp.array(trial), len(order)"
    source = f"def f(x, i):\n    {body}\n"
    x = jnp.array([3.0, 1.0])
    check(source, (x, jnp.array(1)), (-x, jnp.array(0)))
