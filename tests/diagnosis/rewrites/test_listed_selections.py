"""Selections that stand in a list or dict, one for each of unknown many values, are made where they are read."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X = jnp.array([1.0, 2.0, 4.0, 3.0, 7.0, 6.0])
CALLS = [(X, jnp.array(ids)) for ids in ([0, 0, 1, 1, 2, 2], [3, 0, 0, 3, 0, 3], [1, 1, 1, 1, 1, 4])]
LISTED = "groups = [x[y == g] for g in jnp.unique(y)]\n    "


@pytest.mark.parametrize(
    "body",
    [
        f"{LISTED}k = len(groups)\n    return sum(len(g) * (g.mean() - x.mean()) ** 2 for g in groups) / k",
        f"{LISTED}n = 0\n    for g in groups:\n        if g.max() > 2:\n            n += len(g)\n    return n",
        "ids = jnp.unique(y)\n    groups = [x[y == g] for g in ids]\n    m = sum(len(h) - 1 for h in groups)\n"
        "    return m / len(groups)",
        "groups = []\n    for g in jnp.unique(y):\n        groups.append(x[y == g])\n"
        "    means = jnp.array([jnp.mean(v) for v in groups])\n    return means.max() - means.min()",
        f"{LISTED}most, at = -jnp.inf, -1\n    for i, v in enumerate(groups):\n        if v.sum() > most:\n"
        "            most, at = v.sum(), i\n    return most, at",
        "ids = jnp.unique(y)\n    groups = [x[y == g] for g in ids]\n    return sum(g * v.sum() for g, v in zip(ids, groups))",
    ],
)
def test_what_is_read_one_by_one_needs_no_list(body):
    """Each was said to need a value of a length that depends on data, for which there is no array of a fixed shape."""
    assert check(f"def f(x, y):\n    {body}\n", *CALLS, seconds=30.0).rewrites[0].verified


KEYED = "groups = {int(g): x[y == g] for g in jnp.unique(y)}\n    "


@pytest.mark.parametrize(
    "body",
    [
        f"{KEYED}return sum(len(v) * v.mean() ** 2 for v in groups.values()) / len(groups)",
        f"{KEYED}s = 0.0\n    for k, v in groups.items():\n        s += k * v.std()\n    return s",
        f"{KEYED}best = -jnp.inf\n    for k in groups:\n        best = max(best, groups[k].mean())\n    return best",
        "groups = {}\n    for g in jnp.unique(y):\n        groups[g.item()] = x[y == g]\n"
        "    return jnp.array([k * v.max() for k, v in groups.items()]).sum()",
    ],
)
def test_a_dict_of_selections_is_read_by_its_values(body):
    assert check(f"def f(x, y):\n    {body}\n", *CALLS, seconds=30.0).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        f"{KEYED}return sum(v.sum() ** 2 for v in groups.values()) + groups[0].sum()",
        f"{KEYED}return sum(v.sum() ** 2 for v in groups.values()) + (3 in groups)",
        "groups = {int(v): x[x == v] for v in jnp.unique(x / 2)}\n    return sum(len(v) for v in groups.values())",
        "groups = {int(g): x[y == g] for g in y}\n    return sum(len(v) for v in groups.values())",
    ],
)
def test_a_dict_of_which_more_is_asked_or_whose_keys_may_be_alike_stays(body):
    found = propose(define(f"def f(x, y):\n    {body}\n")["f"], CALLS[0], {})
    assert all("groups" in each.source for each in found.rewrites)


def test_the_values_are_asked_for_once():
    source = f"def f(x, y):\n    {LISTED}return sum(v.sum() ** 2 for v in groups) / len(groups)\n"
    assert check(source, *CALLS, seconds=30.0).rewrites[0].source.count("unique(") == 1


@pytest.mark.parametrize(
    "body",
    [
        f"{LISTED}return sum(v.sum() for v in groups) + groups[0].max()",
        f"{LISTED}x = x * 2\n    return sum(v.sum() ** 2 for v in groups)",
        f"{LISTED}groups = groups[1:]\n    return sum(v.sum() ** 2 for v in groups)",
        f"{LISTED}return sum(sum(v.sum() for v in groups) for x in jnp.arange(3.0))",
        f"{LISTED}total = lambda x: sum(v.sum() ** 2 for v in groups)\n    return total(2 * x)",
    ],
)
def test_a_list_of_which_more_is_asked_or_whose_array_changes_stays(body):
    found = propose(define(f"def f(x, y):\n    {body}\n")["f"], CALLS[0], {})
    assert all("groups" in each.source for each in found.rewrites)


TESTED = """
import jax.numpy as jnp
def f(x, w, n):
    p, q = x[:n], w[:n]
    v = x[x > 0]
"""


@pytest.mark.parametrize(
    "rest",
    [
        "    return len([i for i, (a, b) in enumerate(zip(p, q)) if a != b]), (p == q).mean()",
        "    return sum(a * b for a, b in zip(v, w[x > 0]) if a > 1)",
        "    small = [a for a in v if a < 2 and a != 0.5]\n    return len(small), sum(small)",
        "    big = [i for i, a in enumerate(v) if a > 1]\n    return len(big), sum(big)",
        "    return jnp.array([a for a in q if a > 1]).sum()",
    ],
)
def test_a_comprehension_with_a_test_runs_over_what_was_selected(rest):
    """It had to run over a whole array; `enumerate(zip(…))` of two windows had no rewrite."""
    x, w = jnp.array([1.0, -2.0, 3.0, 0.5, 1.5]), jnp.array([1.0, 2.0, 3.0, 0.5, 4.0])
    calls = [(x, w, jnp.array(3)), (x, w, jnp.array(5)), (-x, w, jnp.array(1)), (jnp.abs(x), w, jnp.array(4))]
    check(f"{TESTED}{rest}\n", *calls, seconds=8.0)


def test_items_of_two_selections_are_counted_in_their_order():
    source = f"{TESTED}    return sum(i * a for i, (a, b) in enumerate(zip(v, w[x > 0])) if a < b)\n"
    x = jnp.array([1.0, -2.0, 3.0, 0.5])
    check(source, *((a, b, jnp.array(2)) for a in (x, -x, x * 0) for b in (x + 1, x[::-1])))
