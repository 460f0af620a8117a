"""The best of integers, which begins with infinity: an integer from the start, as plain Python's result is one."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

WHOLE = [(jnp.array(x),) for x in ([3, -1, 4], [2, 2], [7, 5, 5, 2**24 + 1])]


@pytest.mark.parametrize(
    "body",
    [
        "best = -jnp.inf\n    for v in x:\n        if v > best:\n            best = v\n    return best",
        "best, at = float('inf'), 0\n    for i in range(len(x)):\n        if x[i] < best:\n            best, at = x[i], i\n"
        "    return best, at",
        "best = float('-inf')\n    now = 0\n    for v in x:\n        now = max(v, now + v)\n        best = max(best, now)\n"
        "    return best",
        "first = second = -math.inf\n    for v in x:\n        if v > first:\n            second = first\n"
        "            first = v\n        elif v > second:\n            second = v\n    return second",
    ],
)
def test_the_best_of_integers_is_one_of_them(body):
    found = check(f"def f(x):\n    {body}\n", *WHOLE).rewrites[0]
    assert "jnp.iinfo(x.dtype)." in found.source
    assert any("where plain Python gives" in said for said in found.compared.differences)


def test_a_test_for_infinity_asks_for_the_integer():
    body = "best = jnp.inf\n    for v in x:\n        if v > 2:\n            best = min(best, v)\n"
    source = f"def f(x):\n    {body}    return -1 if best == jnp.inf else best\n"
    found = check(source, *WHOLE, (jnp.array([1, 2]),)).rewrites[0]
    assert "iinfo(x.dtype).max, -1, best)" in found.source
    assert not any("where plain Python gives" in said for said in found.compared.differences)


@pytest.mark.parametrize(
    "body",
    [
        "best = -jnp.inf\n    for v in x:\n        if v > best:\n            best = v\n    return best * 2",
        "best, at = -jnp.inf, 0\n    for i in range(len(x)):\n        if x[i] > best:\n            best, at = x[i], i\n"
        "    return at",
        "best = -jnp.inf\n    for v in x:\n        if v > 2:\n            if v > best:\n                best = v\n"
        "    return best",
    ],
)
def test_infinity_stays_where_more_is_made_of_it_or_plain_python_gives_it(body):
    namespace = define(f"def f(x):\n    {body}\n")
    found = propose(namespace["f"], (jnp.array([3, 1, 4]),), {})
    assert not any("iinfo" in each.source for each in found.rewrites)


def test_of_floats_it_begins_with_infinity():
    source = "def f(x):\n    best = -jnp.inf\n    for v in x:\n        if v > best:\n            best = v\n    return best\n"
    assert "iinfo" not in check(source, (jnp.array([3.0, -1.0]),), (jnp.array([-jnp.inf]),)).rewrites[0].source


@pytest.mark.parametrize(
    "body",
    [
        "cur = 0.0\n    for v in x:\n        cur = max(v, cur + v)\n    return cur",
        "cur = 0.0\n    best = -jnp.inf\n    for i in range(x.shape[0]):\n        cur = max(x[i], cur + x[i])\n"
        "        best = max(best, cur)\n    return best",
        "low, gain = float('inf'), 0\n    for p in x:\n        low = min(low, p)\n        gain = max(gain, p - low)\n"
        "    return gain, low",
    ],
)
def test_of_integers_it_begins_with_one_though_more_is_made_of_it(body):
    """A 0.0 that is never what comes out; the least so far, of which the gain is taken."""
    found = check(f"def f(x):\n    {body}\n", *WHOLE[:2], (jnp.array([5, -7, 2, 1]),), seconds=15.0).rewrites[0]
    assert "0.0" not in found.source and "inf" not in found.source.replace("iinfo", "")


def test_the_array_whose_integers_are_counted_may_be_taken_out_of_a_dict():
    source = """
def f(config):
    bins = config["bins"]
    best = -jnp.inf
    for g in jnp.unique(bins):
        n = (bins == g).sum()
        if n > best:
            best = n
    return best
"""
    first = check(source, *[({"bins": jnp.array(bins)},) for bins in ([2, 2, 1, 2, 1, 0], [1], [3, 1, 1])]).rewrites[0]
    assert "best = jnp.iinfo(bins.dtype).min" in first.source
