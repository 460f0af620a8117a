"""Loops over a table that says names."""

import jax.numpy as jnp
import pytest

from .helpers import check, define, propose

X = jnp.array([1.0, -2.0, 3.0])
CALLS = ((X,), (-X,), (X * 30,), (X - 2.0,))
TABLES = """
GRADES = [(90.0, "A"), (80.0, "B"), (70.0, "C")]
LIMITS = {"slow": 1.0, "mid": 4.0}
POINTS = {"A": 4.0, "B": 3.0, "C": 2.0, "F": 0.0, "slow": 0.1, "mid": 0.5, "fast": 2.0}

def letter(v):
    for limit, name in GRADES:
        if v >= limit:
            return name
    return "F"

def gear(v):
    for name, limit in LIMITS.items():
        if v < limit:
            return name
    else:
        return "fast"
"""
SERVED = {
    "a helper that returns the first": "return POINTS[letter(x[2] * 28)] + x[0]",
    "a dict of the module": "return POINTS[gear(x[1])] + x[0]",
    "the first of a generator": 'name = next((n for limit, n in GRADES if x[2] * 28 >= limit), "F")\n    return POINTS[name]',
    "a loop that breaks": 'name = "F"\n    for limit, n in GRADES:\n        if x[2] * 28 >= limit:\n            name = n\n'
    '            break\n    if name == "F":\n        return x[0]\n    return POINTS[name] + x[0]',
    "the last that passes": 'kind = "none"\n    for limit, n in [(0.0, "pos"), (2.5, "big")]:\n        if x[2] > limit:\n'
    '            kind = n\n    if kind == "big":\n        return x\n    return -x if kind == "pos" else x * 0.0',
}


@pytest.mark.parametrize("how", SERVED)
def test_each_row_has_a_test_of_its_own(how):
    """Nothing was found, or a split: a compiled loop has no strings to choose from."""
    assert check(f"{TABLES}\ndef f(x):\n    {SERVED[how]}\n", *CALLS).rewrites[0].verified


def test_a_table_that_the_function_is_given_or_fills_is_another_in_another_call():
    source = (
        'def f(x):\n    rows = [(0.0, "pos")]\n    rows.append((2.5, "big"))\n    kind = "none"\n    for limit, name in rows:\n'
    )
    source += '        if x[2] > limit:\n            kind = name\n    return x if kind == "big" else -x\n'
    assert all("rows.append" in each.source for each in propose(define(source)["f"], (X,), {}).rewrites)
