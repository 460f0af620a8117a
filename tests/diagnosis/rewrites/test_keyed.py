"""Dicts in which a loop adds up by keys that are data: an array with a place for each label."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X = jnp.array([1.0, -1.0, 2.0, 0.5, 3.0, -2.0])
G = jnp.array([1, 1, 2, 0, 2, 1])
CALLS = [(X, G), (-X, G[::-1]), (X, jnp.full(6, 7)), (X.at[1].set(jnp.nan), jnp.array([9, -4, 9, 0, 0, 100]))]
IN_PAIRS = "sums = {}\n    for g, v in zip(G, x):\n        key = int(g)\n        sums[key] = sums.get(key, 0.0) + v\n"
COUNTED = "sums = dict()\n    for g in G:\n        sums[int(g)] = sums.get(int(g), 0) + 1\n"
BY_PLACE = "sums = defaultdict(float)\n    for i in range(len(G)):\n        sums[G[i].item()] += x[i] ** 2\n"


@pytest.mark.parametrize(
    ("loop", "asked"),
    [
        (IN_PAIRS, "max(sums.values())"),
        (COUNTED, "len(sums) + max(sums.values())"),
        (BY_PLACE, "sum(sums.values())"),
        pytest.param(IN_PAIRS, "len(sums) * x[0]", marks=pytest.mark.slow),
        pytest.param(IN_PAIRS, "jnp.array(list(sums.values())).mean()", marks=pytest.mark.slow),
    ],
)
def test_what_is_asked_of_sums_by_label(loop, asked):
    source = f"from collections import defaultdict\n\n\ndef f(x, G):\n    {loop}    return {asked}\n"
    assert check(source, *CALLS).rewrites[0].verified


@pytest.mark.parametrize("asked", ["max", "min"])
def test_nan_in_a_group_that_is_not_the_first_is_left_out_as_python_leaves_it_out(asked):
    """Asked of values where the only NaN met before stood in the first group, once grouped."""
    source = f"def f(x, G):\n    {IN_PAIRS}    return {asked}(sums.values())\n"
    first, last = jnp.array([1, 3, 3, 1, 0, 2]), X.at[5].set(jnp.nan)
    assert check(source, (X, jnp.array([2, 1, 0, 2, 3, 3])), (last, first), (-last, first)).rewrites[0].verified


def test_whole_numbers_added_to_a_float_stay_floats_and_floats_become_keys_as_they_did():
    source = f"def f(x, G):\n    {IN_PAIRS}    return max(sums.values())\n"
    first = check(source, (X, G), (jnp.arange(6), G), (X, G + 0.5)).rewrites[0]
    assert not any("floats" in each or "integers" in each for each in first.compared.differences)


@pytest.mark.parametrize(
    "source",
    [
        f"def f(x, G):\n    {IN_PAIRS}    return sums[1] * x[0]\n",
        f"def f(x, G):\n    {COUNTED.replace('+ 1', '+ g')}    return max(sums.values())\n",
    ],
)
def test_what_needs_the_keys_themselves_keeps_them(source):
    found = check(source, *CALLS[: 2 if "sums[1]" in source else None]).rewrites[0]
    assert found.verified
    assert ("sums[1]" in source) == any("raises KeyError" in each for each in found.compared.differences)


def test_what_takes_the_keys_as_a_list_is_left_alone():
    found = propose(define(f"def f(x, G):\n    {IN_PAIRS}    return list(sums)[0]\n")["f"], (X, G), {})
    assert not found.rewrites


def test_keys_from_data_are_the_reason_where_nothing_adds_up():
    source = "def f(x, g):\n    out = {}\n    for k in jnp.unique(g):\n        out[int(k)] = x[g == k].mean()\n    return out\n"
    found = propose(define(source)["f"], (jnp.arange(4.0), jnp.array([0, 1, 1, 3])), {})
    assert not found.rewrites
    assert any("those of out come from data" in obstacle for obstacle in found.obstacles)
