"""Branches that leave something of another length each: what follows stands in each of them."""

import ast

import jax.numpy as jnp
import pytest

from .helpers import check, offered

ROWS = [
    (jnp.array(row), 1.0)
    for row in (
        [10.0, 10.5, 10.2, 14.5, 10.3],
        [10.0, 10.25, 10.5, 10.125, 10.375],
        [2.0, 9.0, 9.5, 9.25, 9.75],
        [4.0, 4.0, 4.0],
    )
]
SERVED = {
    "the last one left out": """
def f(x, t):
    s = jnp.sort(x)
    if s[-1] - s[-2] > t:
        s = s[:-1]
    return s.mean(), s.max()
""",
    "one at either end, taken out of a list": """
def f(x, t):
    s = sorted(float(v) for v in x)
    # an outlier above, or else one below
    if s[-1] - s[-2] > t:
        s.pop()
    elif s[1] - s[0] > t:
        s.pop(0)
    mean = sum(s) / len(s)
    return mean
""",
    "either way something else": """
def f(x, t):
    if x[0] > 5 * t:
        v = x[1:]
    else:
        v = jnp.concatenate([x, x[:1] * 2])
    return v.sum() * t
""",
    "others, where too few are kept": """
def f(x, t):
    kept = x[x > 10 * t]
    n = kept.shape[0]
    if n < 2:
        kept = x[jnp.argsort(-x)[:2]]
    return kept.mean(), kept.max() - kept.min(), n / len(x)
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_what_follows_is_in_each_branch(how):
    """Nothing was found: no array of one shape holds what both branches leave, but all that is returned is of one."""
    found = check(SERVED[how], *ROWS).rewrites[0]
    assert "branches" in found.patterns
    last = ast.parse(found.source).body[0].body[-2:]  # type: ignore[attr-defined]
    assert not (len(last) == 2 and isinstance(last[0], ast.Return))  # nothing is left behind a return


def test_a_list_that_is_shortened_in_a_branch_that_returns():
    source = """
def f(x, t):
    s = x.tolist()
    if s[0] > 5 * t:
        s.pop(0)
        return sum(s)
    return s[0] - t
"""
    assert "slice" in check(source, *ROWS).rewrites[0].patterns


SHORTER = "def f(x, t):\n    s = jnp.sort(x)\n    if s[-1] - s[-2] > t:\n        s = s[:-1]\n    return s.mean()\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("s[:-1]\n", "s * 2\n"),
        ("        s = s[:-1]\n", "        s = s[:-1]\n        if x[0] > 3:\n            return s.sum()\n"),
        ("    return s.mean()\n", "    for v in x:\n        t = t + v\n    return s.mean() + t\n"),
        ("    return s.mean()\n", "".join(f"    t = t + {k}\n" for k in range(7)) + "    return s.mean() + t\n"),
        ("    return s.mean()\n", "    s = x * 2\n    return s.mean()\n"),
        (SHORTER, "def f(x, t):\n    y = x if x[0] > t else -x\n    if y[1] > t:\n        y = y * 2\n    return y.sum()\n"),
    ],
)
def test_where_nothing_has_another_length_or_much_follows_it_stands_once(old, new):
    assert "branches" in offered(SHORTER, *ROWS[0])
    assert "branches" not in offered(SHORTER.replace(old, new), *ROWS[0])


POPPED = "def f(x, t):\n    s = x.tolist()\n    if s[0] > t:\n        s.pop()\n        return sum(s)\n    return s[0]\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("s = x.tolist()\n", "s = x.tolist()\n    other = s\n    t = t + len(other)\n"),
        ("s = x.tolist()\n", "s = x.tolist()\n    rows = [s, s]\n    t = t + len(rows)\n"),
        ("s = x.tolist()\n", "s = x.tolist()\n    pairs = zip(s, x)\n    t = t + sum(a * b for a, b in pairs)\n"),
        ("s = x.tolist()\n", "s = x.tolist()\n    same = s if len(s) > 9 else s\n    t = t + len(same)\n"),
        ("s.pop()\n", "s.pop(1)\n"),
        ("s = x.tolist()\n", "held = {0: x[0], -1: t}\n    s = held.copy()\n"),
        ("s.pop()\n", "t = t + s.pop()\n"),
    ],
)
def test_a_list_that_others_know_is_no_slice_of_itself(old, new):
    assert "slice" in offered(POPPED, *ROWS[0])
    assert "slice" not in offered(POPPED.replace(old, new), *ROWS[0])
