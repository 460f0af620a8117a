"""A helper that returns None for some data: its caller asks a flag, and zeros stand for None."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from tests.diagnosis.rewrites.helpers import check, check_with_gradients, offered

HIT = """
def hit(o, d, r):
    '''Where a ray meets a ball, and its normal there.'''
    b = jnp.dot(o, d)
    rest = b * b - jnp.dot(o, o) + r ** 2
    if rest < 0:
        return None
    t = -b - jnp.sqrt(rest)
    if t < 1e-4:
        return None
    return t, (o + t * d) / r

"""
D, LIGHT = jnp.array([0.0, 0.0, 1.0]), jnp.array([0.0, 0.6, -0.8])
RAYS = [
    (jnp.array(o), D, r)
    for o, r in (([0.1, 0.2, -3.0], 1.0), ([0.0, 2.0, -3.0], 1.0), ([0.0, 0.0, 3.0], 1), ([0.1, 2.0, -3.0], 4))
]


def test_several_values_or_none():
    source = HIT + "def f(o, d, r):\n    found = hit(o, d, r)\n    if found is None:\n        return 0.0\n"
    source += "    t, normal = found\n    return t + normal[1]\n"
    check_with_gradients(source, *RAYS)


def test_one_that_is_asked_at_once_behind_another():
    source = HIT + "def f(o, d, r):\n    first = hit(o, d, r)\n    if first is not None:\n        t, normal = first\n"
    source += (
        "        if hit(o + t * d, -d, r * 2) is None and normal[2] < 0.5:\n            return t\n        return normal[2]\n"
    )
    source += "    return -1.0\n"
    check(source, *RAYS)


@pytest.mark.parametrize(
    "helper",
    [
        "    if x < 0:\n        return None\n    if x > 4:\n        x = x - 4\n        return x * 2, 1\n    return x, 0\n",
        "    if x > 0:\n        if x > 4:\n            return None\n        return x, 1\n    return -x, 0\n",
        "    if x > 0:\n        y = jnp.sqrt(x)\n        if y < 2:\n            return y, 1\n    return None\n",
        "    if x > 4:\n        return x, 2\n    elif x > 0:\n        return None\n    else:\n        return -x, 3\n",
    ],
)
def test_ways_through_the_helper(helper):
    source = f"def g(x):\n{helper}\ndef f(x):\n    found = g(x)\n    if found is None:\n        return 0.5\n"
    source += "    value, n = found\n    return value * 2.5 + n\n"
    check_with_gradients(source, *((x,) for x in (1.0, 3.0, 5.0, 20.0, -2.0)))


def test_within_a_loop():
    source = "def g(x, y):\n    if y == 0:\n        return None\n    z = x / y\n    if z > 2:\n        return None\n"
    source += "    return z, z * z\n\n"
    source += "def f(xs, ys):\n    total, n = 0.0, 0\n    for x, y in zip(xs, ys):\n        found = g(x, y)\n"
    source += (
        "        if found is not None:\n            total += found[0] - found[1]\n            n += 1\n    return total, n\n"
    )
    xs = jnp.array([1.0, 2.0, 3.0])
    check(source, *((xs, jnp.array(ys)) for ys in ([0.0, 2.0, 1.0], [4.0, 4.0, 4.0], [0.0, 0.0, 0.0])))


GUARDED = [
    "if found is not None and found < best:\n            best, at = found, k\n",
    "if found is None:\n            continue\n        if found < best:\n            best, at = found, k\n",
    "if found is None or found >= best:\n            continue\n        best, at = found, k\n",
    "if found is None or found >= best:\n            pass\n        else:\n            best, at = found, k\n",
]


@pytest.mark.parametrize("question", GUARDED)
def test_what_is_there_is_kept_where_it_is_the_best(question):
    """The nearest of what a ray hits: the name is handed on where the code made sure that it is no None."""
    source = "def g(x, y):\n    d = y * y - x\n    if d < 0:\n        return None\n    s = jnp.sqrt(d)\n    if y - s > 0:\n"
    source += "        return y - s\n    return None\n\n"
    source += "def f(xs, ys):\n    best, at = jnp.inf, -1\n    for k in range(len(xs)):\n        found = g(xs[k], ys[k])\n"
    source += f"        {question}    return best, at\n"
    xs = jnp.array([1.0, 3.0])
    check(source, *((xs, jnp.array(ys)) for ys in ([2.0, 2.0], [0.5, 1.0], [-1.5, 9.0], [3.0, 2.0])), seconds=10.0)


TWICE = "def g(x):\n    if x < 0:\n        return None\n    if x > 4:\n        return None\n    return x, 1\n\n"


def test_two_questions_have_two_answers():
    source = f"{TWICE}def f(x, y):\n    if g(x) is None:\n        return 0.5\n"
    source += "    if g(y) is None:\n        return 2.0\n    return x\n"
    calls = [(x, y) for x in (1.0, -1.0, 9.0) for y in (2.0, -2.0)]
    check(source, *calls)
    source = f"{TWICE}def f(x, y):\n    if (g(x) is None) | (g(y) is None):\n        return 0.5\n    return x\n"
    check(source, *calls)


def test_names_of_the_callers_are_not_the_helpers():
    """The copy in the caller would read its `EDGE`."""
    source = (
        "EDGE = 4\n\ndef g(x):\n    if x > EDGE:\n        return None\n    if x < 0:\n        return None\n    return x, 1\n\n"
    )
    source += "def f(x, EDGE):\n    found = g(x)\n    if found is None:\n        return 0.5\n    return found[0] * EDGE\n"
    assert "zeros" not in offered(source, 2.0, 3.0)
    assert "zeros" in offered(source.replace("def f(x, EDGE)", "def f(x, edge)").replace("* EDGE", "* edge"), 2.0, 3.0)


def test_names_that_the_helper_has_itself():
    source = "def g(x):\n    zeros = jnp.zeros(2)\n    if x > 4:\n        return None\n    if_so = x + zeros\n    if x < 0:\n"
    source += "        return None\n    return if_so, zeros\n\n"
    source += (
        "def f(x):\n    found = g(x)\n    if found is None:\n        return 0.5\n    return found[0].sum() + found[1].sum()\n"
    )
    check(source, (1.0,), (5.0,), (-1.0,))


def test_a_value_on_several_lines():
    source = "def g(x):\n    if x > 4:\n        return None\n    if x < 0:\n        return None\n"
    source += "    return (\n        x\n        + 1\n    )\n\n"
    source += "def f(x):\n    found = g(x)\n    if found is None:\n        return 0.5\n    return found * 2\n"
    check(source, (1.0,), (5.0,), (-1.0,))


@pytest.mark.parametrize(
    "question",
    [
        "if any(g(v) is not None for v in x):\n        return 0.5\n",  # of each, and not of one
        "if y is not None and g(y) is None:\n        return 0.5\n",  # None is not handed on
        "found = g(x[0])\n    if found is None or found[0] > 1:\n        return 0.5\n    y = found or x\n",
        "found = g(x[0])\n    if found is None:\n        x = -x\n    y = found\n    if y is None:\n        return 0.5\n",
        "found = g(x[0])\n    if found is None:\n        x = -x\n    if found == None:\n        return 0.5\n",
        "found = g(x[0])\n    if found is not None or y is None:\n        y = found\n    if y is None:\n        return 0.5\n",
    ],
)
def test_what_is_asked_otherwise_is_left(question):
    source = f"{TWICE}def f(x, y=None):\n    {question}    return 2.0\n"
    assert "zeros" not in offered(source, jnp.array([1.0, 2.0]), jnp.array(3.0))


@pytest.mark.parametrize(
    "caller",
    [
        "found = g(x)\n    if found is None:\n        x = x + 1\n    return found\n",
        "return g(x)\n",
    ],
)
def test_what_the_caller_gives_back_itself_is_none_all_the_same(caller):
    assert "zeros" not in offered(f"{TWICE}def f(x):\n    {caller}", 2.0)
