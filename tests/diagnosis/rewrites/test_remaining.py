"""Loops over what remains of an array, and lists of which each has a length of its own."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

NOT_OVERLAPPING = (
    "def f(x, width, t):\n    order = jnp.argsort(x)[::-1]\n    keep = []\n    while order.size > 0:\n        i = order[0]\n"
    "        keep.append(i)\n        near = jnp.abs(x[order[1:]] - x[i])\n"
    "        score = width[i] + width[order[1:]] - near\n        inds = jnp.where(score <= t)[0]\n"
    "        order = order[inds + 1]\n    return RETURNED\n"
)
SPREAD = (jnp.array([3.0, 1.0, 2.5, -1.0, 5.0, 0.5]), jnp.array([0.5, 1.0, 0.2, 0.1, 0.3, 0.4]))


def test_a_loop_over_what_remains_of_an_array_keeps_it_whole_beside_a_mask():
    calls = [(*SPREAD, 0.0), (*SPREAD, -9.0), (*SPREAD, 9.0), (SPREAD[0][:1], SPREAD[1][:1], 0.0)]
    check(NOT_OVERLAPPING.replace("RETURNED", "len(keep)"), *calls)
    found = propose(define(NOT_OVERLAPPING.replace("RETURNED", "jnp.array(keep)"))["f"], calls[0], {})
    assert found.unverified[0].padded
    assert "keep = jnp.zeros(order.size, int)" in found.unverified[0].source


def test_what_numbers_take_of_an_array_may_be_more_than_remains():
    source = NOT_OVERLAPPING.replace("jnp.where(score <= t)[0]", "jnp.argsort(score)[:2] * 0").replace("RETURNED", "len(keep)")
    found = propose(define(source.replace("order.size > 0", "order.size > 1 and width.sum() > t"))["f"], (*SPREAD, 9.0), {})
    assert not any("order.size, int" in each.source for each in (*found.rewrites, *found.unverified))


def test_lists_that_grow_apart_are_gone_through_together():
    source = (
        "def f(x, t):\n    small, large = [], []\n    for v in x:\n        if v < t:\n            small.append(v)\n"
        "        if v > 0:\n            large.append(v * 2)\n    total = 0.0\n    for a, b in zip(small, large):\n"
        "        total = total + a * b\n    return total\n"
    )
    check(source, (SPREAD[0], 2.0), (SPREAD[0], -9.0), (SPREAD[0][:1], 9.0))


def test_what_follows_the_first_element_stands_in_the_mask_itself():
    source = (
        "def f(x, t):\n    total = 0.0\n    while len(x) > 0:\n        first = x[0]\n        total = total + first\n"
        "        x = x[1:][jnp.abs(x[1:] - first) > t]\n    return total\n"
    )
    check(source, (SPREAD[0], 1.0), (SPREAD[0], 9.0), (SPREAD[0], -1.0), (SPREAD[0][:1], 0.0))
    by_places = source.replace("x[1:][jnp.abs(x[1:] - first) > t]", "x[jnp.where(jnp.abs(x[1:] - first) > t)[0] + 1]")
    check(by_places, (SPREAD[0], 1.0), (SPREAD[0], 9.0), (SPREAD[0], -1.0), (SPREAD[0][:1], 0.0))


def test_the_others_may_have_a_name_while_the_array_itself_is_shortened():
    """`others = order[1:]`, then `order = order[1:][mask]` or `order[places + 1]`: no answer was found for the array with two
    names."""
    source = (
        "def f(x, width, t):\n    order = jnp.argsort(x)[::-1]\n    keep = jnp.zeros(x.size, int)\n    while order.size > 0:\n"
        "        i = order[0]\n        others = order[1:]\n        keep = keep.at[i].set(1)\n"
        "        score = width[i] + width[others] - jnp.abs(x[others] - x[i])\n        order = SHORTER\n    return keep\n"
    )
    calls = [(*SPREAD, 0.0), (*SPREAD, -9.0), (*SPREAD, 9.0), (SPREAD[0][:1], SPREAD[1][:1], 0.0)]
    check(source.replace("SHORTER", "order[1:][score <= t]"), *calls)
    check(source.replace("SHORTER", "order[jnp.where(score <= t)[0] + 1]"), *calls)


GREEDY = (
    "def f(x, score, t):\n    order = jnp.argsort(-score)\n    order = order[score[order] > 0.15]\n"
    "    keep = jnp.zeros(len(x), int)\n    number = 0\n    while len(order) > 0:\n        TAKEN\n        number = number + 1\n"
    "        keep = keep.at[best].set(number)\n        order = rest[jnp.abs(x[rest] - x[best]) > t]\n    return keep\n"
)


@pytest.mark.parametrize(
    "taken",
    [
        "best, rest = order[0], order[1:]",
        "rest, best = order[1:], order[0]",
        "best, rest = order[-1], order[:-1]",
        "best = order[-1]\n        rest = order[:-1]",
        "best = order[0]\n        rest = order = order[1:]",
        "best, order = order[-1], order[:-1]\n        rest = order",
    ],
)
def test_the_first_or_the_last_is_taken_off_together_with_what_is_left(taken):
    calls = [(*SPREAD, 0.0), (*SPREAD, 1.0), (*SPREAD, 99.0), (SPREAD[0], SPREAD[1] * 0, 1.0)]
    calls += [(SPREAD[0][:1], SPREAD[1][:1], 0.0), (SPREAD[0], jnp.full(6, 0.5), 1.0)]
    check(GREEDY.replace("TAKEN", taken), *calls)


def test_neighbours_in_a_loop_that_shortens_their_array_are_no_rest_of_it():
    source = (
        "def f(x, t):\n    total = 0.0\n    for _ in range(3):\n        x = x[x > t]\n        left, right = x[:-1], x[1:]\n"
        "        total = total + (left * right).sum()\n    return total\n"
    )
    check(source, (SPREAD[0], 0.0), (SPREAD[0], -9.0), (SPREAD[0], 99.0), (SPREAD[0], 2.7))
