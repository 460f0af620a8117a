"""A tuple of data (three bases, a place on a grid) that is compared with one of a table, or looked for in it."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import check, offered

BASES = jnp.array([0, 3, 2, 1, 1, 0, 3, 0, 0])
TABLE = "START = (0, 3, 2)\nSTOPS = {(3, 0, 0), (3, 2, 0)}\nNAMES = {(3, 0, 0): 'ochre', (1, 1, 0): 'pro'}\n"
CODON = "codon = (int(seq[i]), int(seq[i + 1]), int(seq[i + 2]))"


def _counting(test: str, made: str = CODON) -> str:
    return f"{TABLE}def f(seq):\n    n = 0\n    for i in range(len(seq) - 2):\n        {made}\n        if {test}:\n            n += 1\n    return n\n"  # noqa: E501


TESTS = [
    "codon == START",
    "codon in STOPS",
    "i > 0 and codon != START",
    "codon not in STOPS",
    "codon in NAMES",
    "codon in [(3, 0, 0), (1, 0, 3)]",
    "codon in {(3, 0, 0), (1, 0, 3)}",
    "codon in ((3, 0, 0),)",
    "codon == START or codon in STOPS",
    "codon < START",
    "codon in {(3, 0, 0): 1, (1, 0, 3): 2}",
]


@pytest.mark.parametrize("test", TESTS)
def test_three_numbers_are_compared_with_those_of_a_table(test):
    check(_counting(test), (BASES,), (BASES[::-1],), (BASES[4:],), (BASES[:3],), (BASES * 0,))


def test_a_tuple_written_where_it_is_looked_for():
    body = "n = 0\n    for a, b in zip(x, x[1:]):\n        if (int(a), int(b)) in PAIRS:\n            n += 1\n    return n\n"
    check(f"PAIRS = frozenset([(0, 3), (1, 1)])\ndef f(x):\n    {body}", (BASES,), (BASES[:1],), (BASES[::-1],))


def test_an_object_of_the_users_may_be_asked_for_a_tuple():
    source = """class Box:
    def __contains__(self, place):
        return (place[0] > 0) & (place[1] < 3)

BOX = Box()

def f(x):
    return x.sum() if (x[0], x[1]) in BOX else -x.sum()
"""
    check(source, (BASES[:3],), (BASES[2:],), (BASES[4:],))


def test_an_open_frame_begins_and_ends_with_a_word_of_three_letters():
    """None stands for a frame that is not open; the stop is asked for where one is."""
    source = f"""{TABLE}
def f(seq):
    best = (-1, 0)
    start = None
    for i in range(0, len(seq) - 2, 3):
        {CODON}
        if start is None and codon == START:
            start = i
        elif start is not None and codon in STOPS:
            count = (i - start) // 3
            if count > best[1]:
                best = (start, count)
            start = None
    return best
"""
    twice = jnp.array([0, 3, 2, 3, 2, 0, 0, 3, 2, 1, 1, 1, 3, 0, 0, 1])
    check(source, (BASES,), (twice,), (BASES[::-1],), (BASES[:2],))


def test_keys_that_are_rounded_or_of_another_length_are_not_compared_as_an_array():
    """0.1 of 32 bits is no 0.1 of Python's; no tuple of two is in a set of threes."""
    pair = "pair = (float(seq[i]), float(seq[i + 1]))"
    assert "any" in offered(_counting("codon in STOPS"), BASES)
    for test in (
        "pair in {(0.1, 0.2)}",
        "pair in {(3, 0, 0)}",
        "pair in {(1, 2), (1, 2, 3)}",
        "pair in {(1, True)}",
        "(*pair,) in {(1,)}",
    ):
        assert "any" not in offered(_counting(test, pair), BASES * 0.1), test
