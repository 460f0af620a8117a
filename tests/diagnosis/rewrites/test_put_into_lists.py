"""Items that are put into one of several lists by a number that is data."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

SRC, DST, H = jnp.array([0, 1, 0, 2]), jnp.array([1, 2, 2, 1]), jnp.array([1.0, 2.0, 4.0])
CALLS = [(SRC, DST, H), (DST, SRC, -H), (SRC, jnp.array([2, 2, 2, 2]), H * 2)]
MADE = "inbox = [[] for _ in range(len(h))]\n    for s, t in zip(src, dst):\n        inbox[t].append(h[s])\n    "


@pytest.mark.parametrize(
    "body",
    [
        "return jnp.array([sum(m) / len(m) if m else 0.0 for m in inbox])",
        "out = []\n    for i, m in enumerate(inbox):\n        if len(m) == 0:\n            out.append(h[i])\n        else:\n"
        "            out.append(jnp.stack(m).mean(axis=0))\n    return jnp.stack(out)",
        "best = 0.0\n    for m in inbox:\n        if not m:\n            continue\n        best = max(best, max(m) - min(m))\n"
        "    return best",
        "return jnp.array([len(m) for m in inbox]), len(inbox)",
        "return jnp.median(jnp.array(inbox[2])) + sum(inbox[1])",
        "return sum(jnp.sum(jnp.asarray(inbox[i])) * i for i in range(len(h)))",
    ],
)
def test_one_array_holds_what_the_lists_hold(body):
    """Of a list that is chosen by a traced number nothing was known: messages to the nodes of a graph, bins, groups."""
    assert check(f"def f(src, dst, h):\n    {MADE}{body}\n", *CALLS).rewrites[0].verified


def test_both_ends_of_an_edge_are_neighbours():
    source = (
        "def f(src, dst, h):\n    near = [[] for _ in range(len(h))]\n    for u, v in zip(src, dst):\n"
        "        near[u].append(v)\n        near[v].append(u)\n    total = 0.0\n    for u in range(len(h)):\n"
        "        for v in near[u]:\n            total += (h[u] - h[v]) ** 2\n    return total\n"
    )
    assert check(source, *CALLS).rewrites[0].verified


def test_a_computed_number_counts_from_the_end_where_it_is_negative():
    source = (
        "def f(x, n):\n    bins = [[] for _ in range(n)]\n    for v in x:\n        bins[int(v * n)].append(v)\n"
        "    return [sum(b) / len(b) if b else 0.0 for b in bins]\n"
    )
    x = jnp.array([0.1, 0.2, 0.8])
    assert "% n" in check(source, (x, 3), (-x, 3), (x[::-1], 4), static=("n",)).rewrites[0].source


def test_the_number_of_lists_is_a_number_of_its_own_where_it_is_asked():
    source = (
        "def f(src, dst, h):\n    n = len(h)\n    inbox = [[] for _ in range(n + 1)]\n    for s, t in zip(src, dst):\n"
        "        inbox[t].append(h[s])\n    return sum(len(m) for m in inbox) / len(inbox) * 2\n"
    )
    assert "/ (n + 1) * 2" in check(source, *CALLS).rewrites[0].source


@pytest.mark.parametrize(
    "body",
    [
        "row = inbox[0]\n    row.append(h[0])\n    return sum(row)",
        "inbox.append([h[0]])\n    return sum(inbox[-1]) + sum(inbox[0])",
    ],
)
def test_lists_that_change_otherwise_stay(body):
    found = propose(define(f"def f(src, dst, h):\n    {MADE}{body}\n")["f"], CALLS[0], {})
    assert not any("inbox_items" in each.source for each in found.rewrites)


NEAR = (
    "{made}\n    for i in range(len(x)):\n        for j in range(len(x)):\n            if i != j and abs(x[i] - x[j]) < 1.5:\n"
)
ALL = "return jnp.array([len(nb[i]) for i in range(len(x))])"
PUT = "                nb[i].append(j)\n    "


@pytest.mark.parametrize(
    "body",
    [
        NEAR.format(made="nb = [[] for _ in range(len(x))]") + PUT + "return jnp.array([len(each) for each in nb])",
        NEAR.format(made="nb = {}") + PUT.replace("nb[i]", "nb.setdefault(i, [])") + ALL.replace("nb[i]", "nb.get(i, [])"),
        NEAR.format(made="nb = {i: [] for i in range(len(x))}") + PUT + ALL,
        NEAR.format(made="nb = defaultdict(list)")
        + PUT
        + "total = 0.0\n    for i in range(len(x)):\n        for j in nb[i]:\n"
        + "            total += x[j] * x[i]\n    return total",
        NEAR.format(made="nb = [[] for _ in range(len(x))]").replace("i != j", "i < j")
        + f"{PUT}            nb[j].append(i)\n    return [sum(x[j] for j in each) for each in nb]",
    ],
)
def test_what_is_put_below_a_test_has_a_flag_beside_it(body):
    """Neighbours: nothing was found, as how many each has depends on data."""
    x = jnp.array([1.0, 2.0, 3.2, 2.0])
    check(f"from collections import defaultdict\ndef f(x):\n    {body}\n", (x,), (-x * 2,), (x[:2],))


@pytest.mark.parametrize("reads", ["return len(nb)", "return [k for k in nb]", "return max(nb, key=lambda k: k)"])
def test_a_dict_whose_keys_are_asked_for_is_no_such_array(reads):
    source = f"def f(x):\n    {NEAR.format(made='nb = {}')}{PUT.replace('nb[i]', 'nb.setdefault(i, [])')}{reads}\n"
    assert not propose(define(source)["f"], (jnp.array([1.0, 2.0, 3.2]),), {}).rewrites
