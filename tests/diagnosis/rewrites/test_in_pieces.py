"""Pieces between places that data says (`jnp.split(x, ends)`), and what is made of each."""

from __future__ import annotations

import re

import jax.numpy as jnp
import pytest

from .helpers import applied, check, define, offered, propose

X = jnp.array([5.0, 6.5, 5.5, 7.0, 4.0, 6.0, 6.9, 5.2])
CALLS = [(X, jnp.array(each)) for each in ([3, 5], [3, 3], [0, 8], [1, 2, 3])]


@pytest.mark.parametrize(
    "body",
    [
        "    laps = jnp.split(x, ends)\n"
        "    tops = [lap.max() if lap.size else 0.0 for lap in laps]\n"
        "    return jnp.array(tops), laps[-1].sum(), len(laps)\n",
        "    return jnp.array([piece.sum() for piece in jnp.split(x, ends)])\n",
        "    best = -1.0\n"
        "    for piece in jnp.split(x, ends):\n"
        "        if len(piece) > 1:\n"
        "            best = jnp.maximum(best, piece.std())\n"
        "    return best\n",
        "    total = 0.0\n"
        "    for i, piece in enumerate(jnp.split(x, ends)):\n"
        "        total = total + i * (piece[0] if piece.size > 0 else 0.0)\n"
        "    return total\n",
        "    norms = [jnp.sqrt((piece**2).sum()) for piece in jnp.split(x - 1, ends)]\n    return max(norms), x.sum()\n",
        "    stops = jnp.minimum(ends, 8)\n    place = 2\n    parts = jnp.split(x, stops)\n    return parts[0].sum() * place\n",
    ],
)
def test_each_piece_is_what_stands_between_two_places(body):
    """Empty ones and the last as well, in a list, a comprehension and a loop; names that the function has are not taken."""
    check(f"def f(x, ends):\n{body}", *CALLS)


def test_what_is_cut_is_what_it_was_when_it_was_cut():
    """Another value that the name gets later is no part of the pieces, nor are later places."""
    source = "def f(x, ends):\n    parts = jnp.split(x, ends)\n    ends = ends + 1\n    return parts[0].sum(), ends\n"
    check(source, *CALLS)


def test_rows_are_cut_where_numbers_are():
    table = jnp.stack([X, -X], 1)
    source = "def f(x, ends):\n    return jnp.stack([rows.sum(axis=0) for rows in jnp.split(x, ends)])\n"
    check(source, (table, jnp.array([3, 5])), (table, jnp.array([0, 8])))


def test_the_last_of_selections_is_found_by_minus_one():
    source = (
        "def f(x, label):\n"
        "    groups = [x[label == k] for k in range(3)]\n"
        "    return sum(g.sum() for g in groups) * groups[-1].sum() + groups[1].sum()\n"
    )
    label = jnp.array([0, 1, 1, 2, 0, 1, 2, 2])
    check(source, (X, label), (X, jnp.zeros(8, int)))


@pytest.mark.parametrize(
    "body",
    [
        "    return groups[0].sum() + sum(g.sum() for g in groups[1:]), len(groups[1:])\n",
        "    best = 0.0\n"
        "    for i, g in enumerate(groups[::-1]):\n"
        "        best = jnp.maximum(best, g.sum() + i)\n"
        "    return best\n",
    ],
)
def test_a_part_of_the_selections_is_that_part_of_what_they_are_made_for(body):
    label = jnp.array([0, 1, 1, 2, 0, 1, 2, 2])
    made = "    groups = [x[label == k] for k in range(3)]\n"
    check(f"def f(x, label):\n{made}{body}", (X, label), (X, jnp.zeros(8, int)))


T = jnp.array([1.0, 4.0, 9.0, 80.0, 83.0, 200.0, 210.0])
GAPS = {
    "a mean of each": "    cuts = jnp.where(jnp.diff(t) > gap)[0] + 1\n    parts = jnp.split(x, cuts)\n"
    "    means = jnp.array([s.mean() for s in parts])\n    return means.max() - means.min()\n",
    "the longest run": "    return max(len(s) for s in jnp.split(x, jnp.where(jnp.diff(t) > gap)[0] + 1))\n",
    "by NumPy": "    parts = np.split(x, np.where(np.diff(t) > gap)[0] + 1)\n    return max(parts, key=len).mean()\n",
    "the first and the last": "    parts = jnp.split(x, jnp.where(jnp.diff(t) > gap)[0] + 1)\n"
    "    return parts[0].mean() - parts[-1].mean()\n",
    "in a loop, and how many": "    idx = jnp.flatnonzero(jnp.diff(t) > gap)\n    total = 0.0\n"
    "    for s in jnp.split(x, 1 + idx):\n        if len(s) > 1:\n            total += s.max() - s.min()\n"
    "    return total, len(idx)\n",
}


@pytest.mark.parametrize("how", GAPS)
def test_pieces_between_gaps_have_a_label_each(how):
    """How many there are depends on data; no array holds their list, and nobody needs it."""
    x = jnp.array([11.2, 11.3, 11.1, 10.4, 10.6, 12.0, 12.2])
    found = check(
        f"def f(t, x, gap):\n{GAPS[how]}", (T, x, 30.0), (T, x, 0.5), (T, x, 900.0), (T[:3], x[:3], 4.0), seconds=20.0
    )
    assert "split" in found.rewrites[0].patterns and not re.search(
        r"where\((jnp|np).diff|flatnonzero", found.rewrites[0].source
    )


def test_pieces_of_which_the_first_may_be_empty_have_no_labels():
    """Marks as many as there are elements, or of another array: what lies before the first of them may be nothing."""
    source = "def f(t, x, gap):\n    return max(len(s) for s in jnp.split(x, {}))\n"
    x = jnp.arange(7.0)
    assert "split" in offered(source.format("jnp.where(jnp.diff(t) > gap)[0] + 1"), T, x, 30.0)
    for ends in ("jnp.where(t > gap)[0] + 1", "jnp.where(jnp.diff(t) > gap)[0]", "jnp.where(jnp.diff(t[:4]) > gap)[0] + 1"):
        assert "split" not in offered(source.format(ends), T, x, 30.0)


@pytest.mark.parametrize(
    "changed",
    ["x = jnp.clip(x, 0.0, 5.0)\n    {}", "x, y = x[::-1], x\n    {}", "parts = [p for p in parts if len(p) > 1]\n    {}"],
    ids=["the array", "in a tuple", "the list"],
)
def test_pieces_are_those_of_the_array_that_was_split(changed):
    """What has its name further down is another."""
    read = "return parts[0].mean() + x[0]"
    source = "def f(t, x, gap):\n    parts = jnp.split(x, jnp.where(jnp.diff(t) > gap)[0] + 1)\n    {}\n"
    x = jnp.array([11.2, 11.3, 11.1, 10.4, 10.6, 1.0, 2.2])
    namespace = define(source.format(changed.format(read)))
    found = propose(namespace["f"], (T, x, 30.0), {}, seconds=20.0)
    assert not changed.startswith("x") or found.rewrites
    wanted = [namespace["f"](T, each, 30.0) for each in (x, x[::-1], x * 2)]
    for which in range(len(found.rewrites)):
        with applied(found, namespace, which):
            got = [namespace["f"](T, each, 30.0) for each in (x, x[::-1], x * 2)]
        assert jnp.allclose(jnp.array(got), jnp.array(wanted))


def test_marks_are_flags():
    """A difference that is no flag is no count of gaps: labels that come back have another sum."""
    source = "def f(x):\n    return max(len(s) for s in jnp.split(x, jnp.where(jnp.diff(x){})[0] + 1))\n"
    x = jnp.array([0, 1, 1, 2])
    assert "split" in offered(source.format(" != 0"), x)
    assert "split" not in offered(source.format(""), x)
