"""Lists that a loop fills until data ends it, and that are filled up to a length behind it."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define, offered

CALLS = [(jnp.array(8.0), jnp.array(3.0)), (jnp.array(8.0), jnp.array(0.0)), (jnp.array(2.0), jnp.array(9.0))]
SOURCE = """
def f(x, t, n=4):
    out = {first}
    for _ in range(n):
        x = x / 2
        out.append(x)
        if x < t:
            break
    {last}
    return jnp.array(out)
"""


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("[]", "out += [jnp.nan] * (n - len(out))"),
        ("[]", "out = out + [out[-1]] * (n - len(out))"),
        ("[]", "out.extend([0.0] * (n - len(out)))"),
        ("[x]", "out += [0.0] * (n + 1 - len(out))"),
        ("[x]", "while len(out) < n + 1:\n        out.append(0.0)"),
    ],
)
def test_they_are_buffers_of_that_length(first, last):
    check(SOURCE.format(first=first, last=last), *CALLS, seconds=10.0)


def test_an_item_that_is_another_each_time_is_not_repeated():
    """`[v] * k` computes it once, and a loop would each time."""
    source = "keys = iter(range(100))\n" + SOURCE.format(first="[]", last="out += [float(next(keys))] * (n - len(out))")
    found = propose(define(source)["f"], CALLS[0], {})
    assert not any("next(keys)" in each.source and "while" in each.source for each in found.rewrites)


X = jnp.array([1.0, 5.0, 3.0, 0.0, 4.0, 1.0])
KEPT = [(X,), (X * 0,), (X[:2],), (X + 3,)]
CUT = {
    "a display": "s = (log + [-1.0, -1.0])[:2]",
    "so many items": "s = (log + [-1.0] * 3)[:3]",
    "as many as are kept": "k = 4\n    s = (log + [-1.0] * k)[:k]",
    "in two lines": "log = log + [-1.0] * (3 - len(log))\n    s = log[:3]",
    "in two lines, extended": "log.extend([-1.0] * (3 - len(log)))\n    s = log[:3]",
}


@pytest.mark.parametrize("cut", CUT.values(), ids=CUT)
@pytest.mark.parametrize(
    "made", ["log = [v for v in x if v > 2]", "log = []\n    for v in x:\n        if v > 2:\n            log.append(v)"]
)
def test_what_is_filled_up_and_cut_has_an_item_for_each_place(cut, made):
    # more are found than places, as many, or none
    found = check(f"def f(x):\n    {made}\n    {cut}\n    return jnp.array(s), s[0]\n", *KEPT)
    assert "cut" in found.rewrites[0].patterns


def test_a_list_that_is_read_whole_as_well_is_no_list_of_places():
    # beyond the places its own items count
    source = (
        "def f(x):\n    log = []\n    for v in x:\n        if v > 2:\n            log.append(v)\n"
        "    log = log + [-1.0] * (3 - len(log))\n    return jnp.array(log[:3]), sum(log)\n"
    )
    assert "cut" not in offered(source, X)


@pytest.mark.parametrize(
    "cut",
    ["head = (log + [0.0] * n)[:n]", "log = log + [0.0] * (n - len(log))\n    head = log[:n]"],
    ids=["in one line", "in two lines"],
)
def test_a_computed_length_may_be_negative(cut):
    # of a short array, `[:n]` leaves out the last
    source = f"def f(x):\n    n = len(x) - 3\n    log = [v for v in x if v > 0]\n    {cut}\n"
    source += "    return sum(head) + 10.0 * len(head)\n"
    assert "cut" not in offered(source, X)


RUNS = """
def f(x):
    n, values, lengths, i = len(x), [], [], 0
    while i < n:
        j = i
        while j < n and x[j] == x[i]:
            j += 1
        values.append(x[i])
        lengths.append(j - i)
        i = j
    {last}
"""


@pytest.mark.parametrize(
    ("last", "left"),
    [
        ("return jnp.array(lengths + [0] * (n - len(lengths))), sum(values)", ""),
        ("pad = n - len(values)\n    return jnp.array(values + [0] * pad), jnp.array(lengths + [0] * pad), len(lengths)", ""),
        ("count = len(values)\n    return jnp.array(values + [-1] * (n - count)), count", "count"),
        ("pad = n - len(values)\n    return jnp.array(values + [0] * pad), pad", "pad = "),
    ],
    ids=["length", "pad of two", "count", "pad that is read"],
)
def test_a_list_that_is_filled_up_within_an_expression(last, left):
    """By a `while`, so that nothing else tells how long it gets: on a line before; a name for what is missing goes with it."""
    x = jnp.array([7, 7, 7, 2, 2, 9, 7, 7])
    found = check(RUNS.format(last=last), (x,), (jnp.arange(8),), (x * 0,), (x[:3],), seconds=20.0)
    assert left in found.rewrites[0].source and ("pad = " in found.rewrites[0].source) == (left == "pad = ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return jnp", "padded = jnp.array(lengths + [0] * (n - len(lengths)))\n    return sum(lengths), jnp"),
        ("    while i < n:", "    other = lengths\n    while i < n:"),
        ("    while i < n:", "    how_many = lambda: len(lengths)\n    while i < n:"),
        ("return jnp", "if n > 8:\n        n = 8\n    return jnp"),
        ("return jnp", "lengths.append(0)\n    return jnp"),
        ("values.append(x[i])", "if j > i + 1:\n            values.append(x[i])"),
        ("n, values, lengths, i = len(x), [], [], 0", "n, values, lengths, i = len(x), [0], [], 0"),
        ("n, values, lengths, i = len(x), [], [], 0", "n, values, i = len(x), [], 0\n    lengths = other = []"),
        ("n, values, lengths, i = len(x), [], [], 0", "n, values, i = len(x), [], 0\n    lengths = [v for v in ()]"),
    ],
    ids=[
        "read behind",
        "another name",
        "in a function",
        "another length",
        "one more",
        "not in turns",
        "not from nothing",
        "two names at once",
        "made of others",
    ],
)
def test_a_list_that_is_not_filled_up_in_its_place(old, new):
    """Something else holds it or reads it, or what was missing is not what is missing there."""
    source = RUNS.format(last="pad = n - len(values)\n    return jnp.array(lengths + [0] * pad)")
    x = jnp.array([1, 1, 2])
    assert "filled up" in offered(source, x)
    assert source.replace(old, new) != source and "filled up" not in offered(source.replace(old, new), x)


def test_what_fills_it_up_keeps_its_line():
    """Only what is missing has no line of its own any more."""
    last = "fill = n - 1\n    pad = n - len(lengths)\n"
    last += "    return jnp.array(lengths + [fill] * pad), jnp.array(values + [0] * pad)"
    x = jnp.array([7, 7, 7, 2, 2])
    found = check(RUNS.format(last=last), (x,), (jnp.arange(5),), (x[:3],), seconds=20.0).rewrites[0].source
    assert "fill = n - 1" in found and "pad" not in found


TOKENS = [jnp.array(rows) for rows in ([[5, 2, 7, 7], [1, 1, 1, 1], [2, 3, 3, 3]], [[2, 2]], [[1], [2], [3]])]


@pytest.mark.parametrize(
    "lines",
    [
        "        if end in row:\n            k = row.index(end) + 1\n            row = row[:k] + [0] * (len(row) - k)\n",
        "        k = row.index(end) + 1 if end in row else len(row)\n        row = row[:k] + [0] * (len(row) - k)\n",
    ],
)
def test_a_list_that_is_cut_and_filled_up_again_is_as_long_as_before(lines):
    """Tokens behind the end of a text: nothing was found, as the part that is cut off has no known length."""
    source = f"def f(tokens, end=2):\n    rows = []\n    for row in tokens.tolist():\n{lines}        rows.append(row)\n"
    rewrite = check(f"{source}    return jnp.array(rows)\n", *((each,) for each in TOKENS)).rewrites[0]
    assert rewrite.compared is not None and any("negative length" in each for each in rewrite.compared.not_reached)


@pytest.mark.parametrize(
    "filled", ["row[:k] + [0] * (len(other) - k)", "row[:k] + [0] * (len(row) - k - 1)", "row[1:k] + [0] * (len(row) - k)"]
)
def test_a_list_that_is_filled_up_otherwise_has_another_length(filled):
    source = "def f(row, k):\n    row = row.tolist()\n    other = row[1:]\n    return jnp.array({})\n"
    assert "filled up" in offered(source.format("row[:k] + [0] * (len(row) - k)"), TOKENS[0][0], jnp.array(2))
    assert "filled up" not in offered(source.format(filled), TOKENS[0][0], jnp.array(2))
