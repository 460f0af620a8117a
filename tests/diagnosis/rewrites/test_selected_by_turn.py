"""Selections that stand in a list or dict, one for each bin, are made where they are read."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import check, check_with_gradients, offered

X, E = jnp.array([0.1, 0.5, 1.2, 2.7, 2.9, 1.5]), jnp.array([0.0, 1.0, 2.0, 3.0])
CALLS = [(X, E), (X[::-1] / 2, E), (X, jnp.array([0.0, 1.5, 1.5, 4.0])), (X * 0 + 5, E)]
IN_BINS = "groups = [x[(x >= a) & (x < b)] for a, b in zip(edges[:-1], edges[1:])]\n    "
ONE_BY_ONE = (
    "groups = []\n    for i in range(len(edges) - 1):\n        inside = (x >= edges[i]) & (x < edges[i + 1])\n"
    "        groups.append(x[inside])\n    "
)
BY_NUMBER = "groups = {i: x[(x >= a) & (x < b)] for i, (a, b) in enumerate(zip(edges, edges[1:]))}\n    "


@pytest.mark.parametrize(
    "body",
    [
        f"{IN_BINS}return sum((i + 1) * g.sum() ** 2 for i, g in enumerate(groups))",
        f"{ONE_BY_ONE}s = 0.0\n    for g in groups:\n        if len(g) > 1:\n            s += g.var()\n"
        "    return s / len(groups)",
        f"{BY_NUMBER}return sum(k * v.sum() * len(v) for k, v in groups.items())",
        f"{IN_BINS}centers = (edges[1:] + edges[:-1]) / 2\n"
        "    return sum(((g - c) ** 2).sum() for c, g in zip(centers, groups))",
        f"{ONE_BY_ONE}return groups[0].sum() - 2 * groups[2].sum()",
        "edges = edges + 0.25\n    " + IN_BINS + "return jnp.array([g.sum() for g in groups if len(g) > 0]).sum()",
    ],
)
def test_groups_by_bins_are_reduced_where_they_are_read(body):
    """Each was said to need a value of a length that depends on data, or was left to plain Python in a split."""
    check_with_gradients(f"def f(x, edges):\n    {body}\n", *CALLS, seconds=30.0)


@pytest.mark.parametrize(
    "body",
    [
        f"{IN_BINS}return jnp.array([len(g) for g in groups])",
        f"{ONE_BY_ONE}return list(map(len, groups)), len(groups)",
        f"{BY_NUMBER}return max(len(g) for g in groups.values()), len(groups)",
        f"{IN_BINS}a = jnp.array([g.sum() for g in groups])\n    return a, jnp.array([g.shape[0] for g in groups])",
        "bins = []\n    for b, lo in zip(edges[1:], edges):\n        bins.append(x[(x >= lo) & (x < b)])\n"
        "    return jnp.stack([b.sum() for b in bins])",
    ],
)
def test_their_sizes_are_counts(body):
    check(f"def f(x, edges):\n    {body}\n", *CALLS, seconds=30.0)


def test_so_are_groups_that_a_helper_makes():
    source = "def in_bins(x, edges):\n    return [x[(x >= a) & (x < b)] for a, b in zip(edges[:-1], edges[1:])]\n\n"
    source += "def f(x, edges):\n    groups = in_bins(x, edges)\n    return sum(len(g) * g.sum() for g in groups)\n"
    check_with_gradients(source, *CALLS, seconds=30.0)


def test_groups_by_numbers_beside_the_data():
    source = "def f(y, x, edges):\n    which = jnp.digitize(x, edges)\n    parts = [y[which == k] for k in range(1, 4)]\n"
    source += "    return sum(p.sum() * k for k, p in enumerate(parts)) + parts[0].sum()\n"
    check_with_gradients(source, *((x * 2, x, edges) for x, edges in CALLS), seconds=30.0)


@pytest.mark.parametrize(
    "body",
    [
        f"{IN_BINS}x = x * 2\n    return sum(g.sum() for g in groups)",
        "parts = [x, x * 2]\n    kept = [p[p > 1] for p in parts]\n    other = parts\n    other[0] = x / 2\n"
        "    return [k.sum() for k in kept]",
        f"{IN_BINS}return sum(g.sum() for g in groups[1:])",
        f"{IN_BINS}return groups[-1].sum()",
        f"{IN_BINS}groups.append(x[x > 1])\n    return sum(g.sum() for g in groups)",
        f"{IN_BINS}total = lambda x: sum(g.sum() for g in groups)\n    return total(2 * x)",
        "groups = {int(i) % 2: x[x > i] for i in range(3)}\n    return sum(g.sum() for g in groups.values())",
        "keys = [0, 1, 0]\n    groups = {k: x[x > k] for k in keys}\n    return sum(g.sum() for g in groups.values())",
    ],
)
def test_a_list_of_which_more_is_asked_or_whose_arrays_change_stays(body):
    assert "selection" not in offered(f"def f(x, edges):\n    {body}\n", *CALLS[0])


CLEAN = "clean = {name: col[col > -9] for name, col in day.items()}\n    "
DAY = {"a": jnp.array([3.0, 4.5, -99.0, 6.0]), "b": jnp.array([-99.0, 2.0, 8.0, -99.0, 1.0])}
DAYS = [(DAY,), ({"a": DAY["a"][:2]},), ({"b": DAY["b"], "c": DAY["a"] + 1},)]


@pytest.mark.parametrize(
    "body",
    [
        f"{CLEAN}return {{name: (c.mean(), c.max()) for name, c in clean.items()}}",
        f"{CLEAN}return {{k: clean[k].sum() / len(clean[k]) for k in day}}",
        f"{CLEAN}out = {{}}\n    for key in clean:\n        out[key] = clean[key].mean()\n    return out, len(clean)",
        f"{CLEAN}best = -jnp.inf\n    for c in clean.values():\n        best = jnp.maximum(best, c.min())\n    return best",
        f"{CLEAN}col = 0.0\n    for name, c in clean.items():\n        col = col + c.sum() / len(c)\n    return col",
    ],
)
def test_a_dict_of_selections_has_the_keys_of_the_dict_that_it_is_made_of(body):
    check(f"def f(day):\n    {body}\n", *DAYS, seconds=30.0)


@pytest.mark.parametrize(
    "loop", ["for name, col in day.items():", "for col in day.values():", "for k, col in enumerate(day.values()):"]
)
def test_what_a_loop_itself_binds_is_whole_in_each_round(loop):
    """The column of the round before is gone: no mask goes on from it."""
    source = f"def f(day):\n    out = []\n    {loop}\n        col = col[col > -9]\n        if len(col) < 3:\n"
    source += "            out.append((0.0, 1.0))\n        else:\n            out.append((col.mean(), col[-1] - col[0]))\n"
    source += "    return out\n"
    check(source, *DAYS, ({"a": DAY["b"], "b": DAY["b"] - 99},), seconds=30.0)
