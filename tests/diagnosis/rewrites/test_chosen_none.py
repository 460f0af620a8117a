"""A value or None, chosen by data."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X = jnp.array([0.5, 3.0, -1.0])
CALLS = [(X, jnp.array(1.0)), (X, jnp.array(9.0))]


@pytest.mark.parametrize(
    "body",
    [
        "best = x.max() if x.sum() > t else None\nreturn 0.0 if best is None else best",
        "best = None if x.sum() > t else x.max()\nif best is not None and best > 2:\n    return best * t\nreturn t",
        "best = None\nif x.sum() > t:\n    best = x * 2\nif best is not None:\n    x = x + best\nreturn x",
        "if x.sum() > t:\n    best = x.max()\nelse:\n    best = None\nif best is None:\n    best = x.min()\nreturn best",
    ],
)
def test_a_flag_says_whether_there_is_a_value(body):
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    first = check(f"def f(x, t):\n{lines}", *CALLS).rewrites[0]
    assert "has_best" in first.source and first.verified


def test_a_helper_that_returns_none_early_is_asked_where_it_is_called():
    source = """
def checked(v, t):
    twice = v * 2
    if jnp.isnan(v).any():
        return None
    if v.sum() > t:
        return
    return twice

def f(x, t):
    better = checked(x, t)
    if better is None:
        return -1.0
    return better[0] - t
"""
    missing = X.at[1].set(jnp.nan), jnp.array(9.0)
    first = check(source, *CALLS, missing).rewrites[0]
    assert "has_better" in first.source and list(first.sources) == ["f"]


def test_none_that_is_returned_stays_without_an_answer():
    """No array stands for None."""
    source = (
        "def f(x, t):\n    best = x.max() if x.sum() > t else None\n    if best is None:\n        x = -x\n    return best\n"
    )
    assert not propose(define(source)["f"], CALLS[0], {}).rewrites


def test_a_value_that_is_none_again_before_it_is_asked_for_is_left_alone():
    source = (
        "def f(x, t):\n    best = x.max() if x.sum() > t else None\n    if t.shape == ():\n        best = None\n"
        "    return x if best is None else x + best\n"
    )
    assert not any("has_best" in each.source for each in propose(define(source)["f"], CALLS[0], {}).rewrites)


def test_what_is_none_before_the_first_round_stays_so_in_rounds_that_plain_python_does_not_have():
    """A group that is missing sums nothing to 0, which is the largest of sums below zero; integers stay integers."""
    source = """
def f(x, group):
    best = None
    for g in jnp.unique(group):
        value = x[group == g].sum()
        if best is None or value > best:
            best = value
    return best
"""
    values, groups = jnp.array([0.25, -0.3, 3.0, 0.75]), jnp.array([1, 2, 0, 1])
    first = check(source, (values, groups), (-abs(values), jnp.array([1, 1, 2, 2]))).rewrites[0]
    namespace = define(f"{source}\n\n")
    exec(first.source, namespace)
    assert namespace["f"](jnp.array([-3, -4, -1, -1]), jnp.array([1, 1, 2, 2])).dtype == jnp.int32


def test_a_tuple_that_a_loop_finds_begins_as_zeros():
    source = (
        "def f(x, y):\n    best, most = None, 0.0\n    for i in range(len(x)):\n        if x[i] == 0:\n            continue\n"
        "        slope = y[i] / x[i]\n        if slope > most:\n            most = slope\n            best = (slope, i)\n"
        "    return best, most\n"
    )
    x = jnp.linspace(0.5, 2.0, 130)
    found = propose(define(source)["f"], (x, jnp.sin(x * 9)), {}, (), seconds=30.0)
    shown = (*found.rewrites, *found.unverified)[0]
    assert "best, most = (0.0, 0), 0.0" in shown.source
    assert "calls in which best stays None" in shown.reason  # there plain Python gives None


RISES = (
    "def f(x, t):\n    last = None\n    n = 0\n    i = 0\n    while i < len(x) and x[i] < t:\n"
    "        if last is not None and x[i] < last:\n            n += 1\n        if last == x[i]:\n            n += 10\n"
    "        if last != x[i]:\n            n += 100\n        last = x[i]\n        i += 1\n    return n\n"
)
HEIGHTS = jnp.array([1.0, 1.0, 2.0, 0.5, 3.0])


def test_none_equals_nothing_where_a_number_stands_for_it():
    check(RISES, (HEIGHTS, 9.0), (HEIGHTS * 0, 9.0), (-HEIGHTS, 9.0), (HEIGHTS[:1], 9.0), (HEIGHTS[:1], 0.0))


def test_a_value_that_another_none_may_be_given_to_has_no_flag_of_its_own():
    source = RISES.replace("    last = None\n", "    last = None\n    older = None\n").replace(
        "        last = x[i]\n",
        "        if older is not None:\n            n += 1000\n        older = last\n        last = x[i]\n",
    )
    found = propose(define(source)["f"], (HEIGHTS, 9.0), {})
    assert not any("has_older = True" in each.source for each in (*found.rewrites, *found.unverified))


def test_what_a_loop_makes_none_again_loses_its_flag():
    source = (
        "def f(x, t):\n    start = None\n    longest = 0\n    for i in range(len(x)):\n        if x[i] > t:\n"
        "            if start is None:\n                start = i\n        else:\n            if start is not None:\n"
        "                longest = max(longest, i - start)\n            start = None\n    return longest\n"
    )
    assert "has_start = False" in check(source, (HEIGHTS, 0.7), (HEIGHTS, 9.0), (HEIGHTS, 0.0)).rewrites[0].source


def test_a_list_that_python_knows_to_be_empty_is_asked_first():
    source = (
        "def f(x, s):\n    ends = []\n    for a, b in zip(x, s):\n        start = a\n        if ends and ends[-1] > a:\n"
        "            start = ends[-1]\n        ends.append(start + b)\n    return max(ends)\n"
    )
    check(source, (HEIGHTS, HEIGHTS), (HEIGHTS[:1], HEIGHTS[:1]), (HEIGHTS * 3, -HEIGHTS))


@pytest.mark.parametrize("asks", ["r is not None and r > 1", "r and r > 1", "not (r is None or r <= 1)"])
@pytest.mark.parametrize(
    "body",
    [
        "return a / b if b > 0 else None",
        "if b > 0:\n        return a / b\n    else:\n        return None",
    ],
)
def test_a_helper_that_gives_none_at_its_end_is_asked_where_it_is_called(body, asks):
    helper = f"def ratio(a, b):\n    {body}\n\n"
    source = f"{helper}def f(a, b):\n    r = ratio(a, b)\n    if {asks}:\n        return r * 2\n    return 0.5\n"
    found = check(source, (1.0, 0.3), (1.0, -0.3), (0.2, 0.3), (0.0, 2.0), (3.0, -2.0))
    assert found.rewrites[0].verified


def test_none_twice_beside_two_numbers():
    """`return None, None` of a quadratic without roots: the second is asked for on another call alone."""
    source = (
        "def roots(a, b, c):\n    inside = b**2 - 4 * a * c\n    if inside < 0:\n        return None, None\n"
        "    return (-b - jnp.sqrt(inside)) / (2 * a), (-b + jnp.sqrt(inside)) / (2 * a)\n\n"
        "def f(a, b, c):\n    first, second = roots(a, b, c)\n    if first and first > 0:\n        return first\n"
        "    elif second and second > 0:\n        return 0.0\n    return jnp.inf\n"
    )
    calls = [(1.0, -3.0, 1.0), (1.0, 3.0, 1.0), (1.0, 0.0, -1.0), (1.0, 0.0, 1.0)]
    assert check(source, *calls).rewrites[0].verified
    unasked = source.split("def f(")[0] + (
        "def f(a, b, c):\n    first, second = roots(a, b, c)\n    if first is None:\n        return -1.0\n"
        "    return jnp.where(first > 0, first, second)\n"
    )
    assert check(unasked, *calls).rewrites[0].verified


@pytest.mark.parametrize(
    ("step", "use", "zeros"),
    [
        ("jnp.eye(2) + a", "step @ p", "p = jnp.zeros(a.shape)"),
        ("jnp.eye(3).at[:2, :2].set(a)", "p @ step", "p = jnp.zeros((3, 3))"),
        ("a.sum(axis=0)", "p * p[0] + step", "p = jnp.zeros((2,))"),
    ],
)
def test_an_array_of_zeros_stands_for_none_where_no_number_can(step, use, zeros):
    """A number has no elements, and `@` refuses it: nothing was found."""
    source = (
        "def f(a, tol=0.01):\n    p = None  # so far\n    d = jnp.inf\n    while d >= tol:\n        a = a / 2\n"
        f"        d = jnp.abs(a).sum()\n        step = {step}\n        if p is None:\n            p = step\n"
        f"        else:\n            p = {use}\n    return p[0], p[1]\n"
    )
    calls = [(jnp.array([[1.0, 2.0], [0.3, 0.4]]),), (jnp.array([[0.1, 0.2], [0.0, -0.4]]),)]
    assert f"{zeros}  # so far\n    has_p = False\n" in check(source, *calls).rewrites[0].source


def test_what_is_none_at_first_keeps_an_earlier_rounds_value_where_a_test_is_false():
    """As in the first round any value would do, an inner choice was carried out in rounds that the outer one leaves out."""
    source = """
def worth(p, q, a, b, c):
    return c * a * jnp.minimum(p, q) + (1 - c) * b * q * (1.5 - p)

def f(a, b, c, n=5):
    g = jnp.linspace(0, 1, n)
    best, where = -jnp.inf, None
    for p in g:
        for q in g:
            if p + q < 1:
                continue
            r = worth(p, q, a, b, c)
            if r > best:
                best, where = r, (p, q)
    return best, where
"""
    namespace = define(source)
    found = propose(namespace["f"], (1.0, 2.0, 0.5, 5), {}, (), ("n",))
    wanted = namespace["f"](-1.0, -2.0, 0.5, 5)
    assert [*found.rewrites, *found.unverified]
    for each in (*found.rewrites, *found.unverified):
        changed = dict(namespace)
        for text in each.sources.values():
            exec(text, changed)
        assert jnp.allclose(jnp.stack(changed["f"](-1.0, -2.0, 0.5, 5)[1]), jnp.stack(wanted[1]))


def test_a_tuple_of_numbers_stands_for_none_where_nobody_asks_for_it():
    source = "def f(x, t):\n    best, at = -jnp.inf, None\n    for i in range(len(x)):\n        if x[i] < t and x[i] > best:\n"
    namespace = define(f"{source}            best, at = x[i], (i, x[i])\n    return best, at\n")
    found = propose(namespace["f"], (X, jnp.array(1.0)), {})
    assert "(0, 0.0)" in (*found.rewrites, *found.unverified)[0].source


def test_an_option_that_a_loop_fills_has_a_flag_as_well():
    """A parameter that is None where it is left out was no such variable, as no line of the function sets it to None."""
    source = (
        "def f(x, a, s=None):\n    for v in x:\n        if v != v:\n            continue\n"
        "        s = v if s is None else a * v + (1 - a) * s\n    return s\n"
    )
    gap = HEIGHTS.at[1].set(jnp.nan)
    calls = [(HEIGHTS, 0.3), (HEIGHTS, 0.3, 1.0), (gap, 0.3), (gap, 0.3, 0.0), (HEIGHTS[:1] * jnp.nan, 0.5, 2.0)]
    for first in (0, 1):
        found = check(source, calls[first], *calls)
        assert "has_s = s is not None\n" in found.rewrites[0].source
        assert "calls in which s stays None" in str(found.rewrites[0].compared)


def test_names_that_are_none_together_have_a_flag_each():
    source = (
        "def f(x, level):\n    low = high = None\n    for v in x:\n        if v < level:\n"
        "            low = v if low is None else min(low, v)\n        else:\n"
        "            high = v if high is None else max(high, v)\n"
        "    if low is None or high is None:\n        return 0.0\n    return high - low\n"
    )
    x = jnp.array([1.5, 0.25, 2.0, -1.25])
    check(source, (x, 5.0), (x, 1.0), (x, -3.0))


@pytest.mark.parametrize(
    "end",
    [
        "if first is None:\n    first = -1\nreturn first, x",
        "first = first if first is not None else -1\nreturn first, x",
        "if first is None:\n    return -1, x\nreturn first, x",
        "return -1 if first is None else first, x",
    ],
)
def test_none_that_a_number_replaces_behind_the_loop_is_served(end):
    """It was told that None is returned there, or that calls in which it stays None were not reached."""
    lines = "".join(f"    {line}\n" for line in end.split("\n"))
    source = (
        "def f(x, t):\n    first = None\n    for i, v in enumerate(x):\n        if first is None and v > t:\n"
        "            first = i\n"
    )
    found = check(source + lines, *CALLS)
    assert found.rewrites[0].compared.not_reached == ()


def test_a_flag_that_is_asked_again_behind_the_loop_says_what_was_set_between():
    source = (
        "def f(x, t):\n    first = None\n    for v in x:\n        if first is None and v > t:\n            first = v\n"
        "    if first is None:\n        first = x[0]\n    return 5.0 if first is None else first * 2\n"
    )
    check(source, *CALLS)


def test_what_nobody_asks_for_none_needs_no_flag():
    source = (
        "def f(x, t):\n    first = None\n    last = None\n    for i in range(len(x)):\n        if x[i] > t:\n"
        "            if first is None:\n                first = i\n            last = i\n"
        "    if first is None:\n        first = last = -1\n    return last - first\n"
    )
    found = check(source, *CALLS, (X[::-1], jnp.array(0.1))).rewrites[0]
    assert "has_first" in found.source and "has_last" not in found.source


def test_none_of_a_helper_is_asked_in_the_round_that_calls_it():
    """It was left to what rounds hand on, though each round asks for its own alone."""
    source = "def bent(t, n):\n    s = n * jnp.sin(t)\n    if abs(s) > 1:\n        return None\n    return jnp.arcsin(s)\n"
    source += (
        "def f(t, ns):\n    for n in ns:\n        out = bent(t, n)\n        if out is None:\n            return t, False\n"
    )
    source += "        t = out\n    return t, True\n"
    x = jnp.array([1.2, 0.8, 1.1])
    check(source, (0.5, x), (1.4, x), (0.5, x[:1]))


def test_what_nobody_asks_for_may_be_none_again():
    """The first None had a number in its place, and one further down was left."""
    source = "def f(x):\n    pos, total, entry = 0, 0.0, None\n    for v in x:\n        if pos == 0 and v > 0:\n"
    source += "            pos, entry = 1, v\n        elif pos == 1 and v < 0:\n            total += v - entry\n"
    source += "            entry = None\n            pos = 0\n    return total\n"
    x = jnp.array([1.0, -2.0, 3.0, 0.5, -1.0])
    check(source, (x,), (-x,), (x[:1],))


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ("if w is not None and w.sum() == 0:\n    w = None\nreturn x.mean() if w is None else (w * x).sum() / w.sum()", "!= 0"),
        (
            "if w is not None and not w.any():\n    w = None\nif w is None:\n    return x.mean()\nreturn (w * x).sum()",
            "w.any()",
        ),
        ("if w is not None and w.sum() < 0 and w.max() < 1:\n    w = None\nreturn x if w is None else x * w", "has_w"),
    ],
)
def test_what_is_given_up_for_some_values_is_told_by_a_flag(body, asks):
    """What was left out has no sum that could be asked for."""
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    calls = [(X, X), (X,), (X, 0 * X), (X, -jnp.abs(X))]
    first = check(f"def f(x, w=None):\n{lines}", *calls).rewrites[0]
    assert first.verified and asks in first.source
