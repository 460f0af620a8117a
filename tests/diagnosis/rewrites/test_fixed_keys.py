"""Dicts whose keys are written in the code, to whose items a loop adds by keys that are data."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define

LABELS = jnp.array([0, 1, 1, 0, 1])
COUNTED = "def f(labels):\n    counts = {0: 0, 1: 0}\n    for l in labels:\n        counts[int(l)] += 1\n"


@pytest.mark.parametrize(
    "end",
    [
        "counts",
        "{k: v / len(labels) for k, v in counts.items()}",
        "counts[0] / (counts[0] + counts[1])",
        "sum(counts.values())",
    ],
)
def test_the_dict_stays_one_whose_items_are_counted(end):
    """`+=` adds no key: the answer was that the keys come from data, and arrays of keys where none was returned."""
    calls = [LABELS, 1 - LABELS, LABELS * 0, LABELS[:1], LABELS * 1.4, LABELS.astype(bool)]
    found = check(f"{COUNTED}    return {end}\n", *((each,) for each in calls))
    assert ", n in counts.items()}" in found.rewrites[0].source
    assert "KeyError" in str(found.rewrites[0].compared)


def test_what_is_added_keeps_its_gradient():
    source = (
        "def f(labels, w):\n    sums = {0: 0.0, 1: 0.0, -1: 2}\n    for l, v in zip(labels, w):\n"
        "        if v > 0:\n            sums[int(l)] += v**2\n    return sums[0] - sums[1] * sums[-1]\n"
    )
    w = jnp.array([1.0, 2.0, -0.5, 3.0, 0.0])
    calls = [(LABELS, w), (-LABELS, w), (LABELS * 0, -w), (LABELS[:2], w[:2])]
    found = check(source, *calls)
    namespace = define(source)
    want = [jax.grad(namespace["f"], 1)(*call) for call in calls]
    with applied(found, namespace):
        got = [jax.grad(namespace["f"], 1)(*call) for call in calls]
    assert all(jnp.allclose(one, other) for one, other in zip(got, want, strict=True))


def test_a_dict_that_has_another_name_as_well_is_no_other_dict():
    source = COUNTED.replace("    for", "    same = [counts]\n    for") + "    return same[0]\n"
    assert not propose(define(source)["f"], (LABELS,), {}).rewrites


ELO = """
def f(games, results, k=32.0):
    ratings = {p: 1500.0 for p in range(3)}
    played = dict.fromkeys(range(3), 0)
    for (a, b), r in zip(games, results):
        a, b = int(a), int(b)
        step = k if played[a] < 2 else k / 2
        gain = step * (r - 1 / (1 + 10 ** ((ratings[b] - ratings[a]) / 400)))
        ratings[a] += gain
        ratings[b] = max(ratings[b] - gain, 1480.0)
        played[a] += 1
        played[b] += 1
"""
GAMES = jnp.array([[0, 1], [1, 2], [0, 2], [1, 0], [0, 1]])


@pytest.mark.parametrize(
    "end",
    [
        "[ratings[p] for p in range(3)]",
        "sum(ratings.values()), [p + n for p, n in played.items()]",
        "[played[p] for p in played]",
    ],
)
def test_a_dict_of_the_numbers_from_0_is_a_list(end):
    """It was said that its keys come from data, though each of them was there from the beginning."""
    results = jnp.array([1.0, 0.5, 1.0, 0.0, 1.0])
    calls = [(GAMES, results), (GAMES[:1], results[:1]), (GAMES[::-1], 1 - results), (GAMES, results, 16.0)]
    found = check(f"{ELO}    return {end}\n", *calls, seconds=8.0)
    assert "KeyError" in str(found.rewrites[0].compared)


@pytest.mark.parametrize(
    "other", ["ratings[int(games[0, 0]) + 3] = 1.0", "ratings.setdefault(int(games[0, 0]) + 3, 1.0)", "played = ratings"]
)
def test_a_dict_that_may_get_another_key_is_no_list(other):
    """A list takes no item past its end, and compiled code would leave it out."""
    source = f"{ELO}    {other}\n    return len(ratings), ratings[0]\n"
    assert not propose(define(source)["f"], (GAMES, jnp.array([1.0, 0.5, 1.0, 0.0, 1.0])), {}).rewrites
