"""Lists of tuples that a loop fills and others read: a list for each part of the tuples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define, offered

RUNS = (
    "def runs(x):\n    out = []\n    i = 0\n    while i < len(x):\n        j = i\n        while j < len(x) and x[j] == x[i]:\n"
    "            j += 1\n        out.append((x[i], i, j - i))\n        i = j\n    return out\n"
)
X = jnp.array([0, 2, 2, 5, 5, 5, 0, 0, 0, 0])
CALLS = [(X,), (X[1:3],), (X[:1],), (-X[::-1],), (jnp.array([4, 4, 3, 3]),)]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        pytest.param(
            "    found = [r for r in runs(x) if r[0] != 0]\n    if not found:\n        return 0, -1, 0, 0\n"
            "    value, start, length = max(found, key=lambda r: r[2])\n    return value, start, length, len(found)\n",
            ("inline", "list", "buffer"),
            id="the longest of some",
        ),
        pytest.param(
            "    found = runs(x)\n    best = min(found, key=lambda r: 3 * r[2] - r[1])\n"
            "    return best[0], best[1], sum(n for _, _, n in found), len(found), found[-1][2]\n",
            ("inline", "list", "buffer"),
            id="by what is computed of an item",
        ),
        pytest.param(
            "    total = 0\n    for value, _, length in runs(x):\n        if value > 0:\n            total += length\n"
            "    return total\n",
            ("inline", "list", "buffer"),
            id="run over",
        ),
    ],
)
def test_what_a_helper_finds_is_a_list_for_each_part(body, names):
    found = check(f"{RUNS}def f(x):\n{body}", *CALLS, seconds=20.0)
    assert {*names} <= {*found.rewrites[0].patterns}


@pytest.mark.parametrize("key", ["lambda p: p[1]", "itemgetter(1)", "lambda p: p[1] * 2 - p[0]"])
def test_the_first_of_those_with_the_largest_key_is_taken(key):
    source = (
        "from operator import itemgetter\n\n"
        "def f(x, sep):\n    parts = []\n    start = 0\n    for k, v in enumerate(x):\n        if v == sep:\n"
        "            if k > start:\n                parts.append((start, k - start))\n            start = k + 1\n"
        "    if len(x) > start:\n        parts.append((start, len(x) - start))\n    if not parts:\n        return -1, 0\n"
        f"    return max(parts, key={key})\n"
    )
    x = jnp.array([3, 4, 0, 5, 6, 7, 0, 0, 1, 2, 2])
    check(source, (x, 0), (x, 9), (x[6:8], 0), (x[:1], 0), (x[2:6], 0), (x[7:], 2))


def test_a_list_whose_items_are_read_as_they_are_stays_one():
    source = (
        "def f(x):\n    out = []\n    for v in x:\n        if v > 0:\n            out.append((v, 2 * v))\n"
        "            last = out[-1]\n    return len(out) + last[0]\n"
    )
    assert define(source)["f"](jnp.array([1.0, -1.0, 2.0])) == 4.0
    assert "list" not in offered(source, jnp.array([1.0, -1.0, 2.0]))


@pytest.mark.parametrize(
    "body",
    [
        "return [(i, v) for i, v in enumerate(x) if v > t]",
        "found = []\n    for i, v in enumerate(x):\n        if v > t:\n            found.append((i, v))\n    return found",
        "runs, n = [], 1\n    for a, b in zip(x[:-1], x[1:]):\n        if a == b:\n            n += 1\n        else:\n"
        "            runs.append((a, n))\n            n = 1\n    runs.append((x[-1], n))\n    return runs",
        "runs, i = [], 0\n    while i < len(x):\n        j = i\n        while j < len(x) and x[j] == x[i]:\n"
        "            j += 1\n        runs.append((x[i], j - i))\n        i = j\n    return runs",
    ],
)
def test_tuples_that_are_returned_are_an_array_for_each_part_and_their_number(body):
    """No array holds just as many; their caller takes the first ones of each."""
    source = f"def f(x, t):\n    {body}\n"
    namespace = define(source)
    calls = [(jnp.array(x), 1.0) for x in ([1.0, 1.0, 2.0, 5.0, 5.0], [3.0], [2.0, 2.0], [0.0, 2.0])]
    wanted = [namespace["f"](*args) for args in calls]
    proposals = propose(namespace["f"], calls[0], {})
    (first, *_) = proposals.unverified
    assert first.padded and "parts of its tuples" in first.reason and not proposals.rewrites
    exec(compile(first.source, "<rewrite>", "exec"), namespace)
    for args, want in zip(calls, wanted, strict=True):
        columns, count = jax.jit(namespace["f"])(*args)
        assert count == len(want)
        for column, part in zip(columns, zip(*want, strict=True), strict=True):
            np.testing.assert_allclose(column[: int(count)], part)
