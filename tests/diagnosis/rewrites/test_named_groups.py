"""Dicts of lists and sums by words that data chooses."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

TABLES = """
SEASON = {12: "winter", 1: "winter", 2: "winter", 3: "spring", 4: "spring", 7: "summer"}
NAMES = ("low", "middle", "high")
"""
MONTHS = [
    (jnp.array(months), jnp.array(temps))
    for months, temps in (
        ([12, 1, 3, 7, 2, 4], [2.0, 0.5, 8.0, 21.0, 1.0, 9.5]),
        ([7, 7], [20.0, 22.0]),
        ([1], [-3.0]),
    )
]
LEVELS = [(jnp.array(k), jnp.array(v)) for k, v in (([0, 1, 1, 0], [1.0, 4.0, 2.0, 3.0]), ([1, 1], [5.0, 6.0]), ([2], [7.0]))]
SERVED = {
    "a mean for each word of a table": (
        """
def f(months, temps):
    buckets = {"winter": [], "spring": [], "summer": []}
    for m, t in zip(months, temps):
        buckets[SEASON[int(m)]].append(t)
    return {s: (sum(v) / len(v) if v else float("nan")) for s, v in buckets.items()}
""",
        MONTHS,
    ),
    "sums and counts in one loop, the word in a variable": (
        """
def f(months, temps):
    total = {s: 0.0 for s in ("winter", "spring", "summer")}
    days = dict.fromkeys(("winter", "spring", "summer"), 0)
    for m, t in zip(months, temps):
        season = SEASON[int(m)]
        total[season] += t
        days[season] += 1
    return total["winter"], days["spring"], total
""",
        MONTHS,
    ),
    "words at places": (
        """
def f(levels, x):
    groups = {name: [] for name in NAMES}
    for k, v in zip(levels, x):
        groups[NAMES[int(k)]].append(v)
    return max(groups["high"], default=-1.0), len(groups["low"]), sum(groups["middle"])
""",
        LEVELS,
    ),
    "a word by a test": (
        """
def f(levels, x):
    parts = {"even": [], "odd": []}
    for k, v in zip(levels, x):
        parts["even" if k % 2 == 0 else "odd"].append(v * 2)
    return {name: sum(part) for name, part in parts.items()}
""",
        LEVELS,
    ),
    "a word by a test within a test of two": (
        """
def f(levels, x):
    parts = {"a": [], "b": [], "c": []}
    for k, v in zip(levels, x):
        parts[("a" if v > 2.5 else "b") if k == 0 or v < 1.5 else "c"].append(v)
    return sum(parts["a"]), sum(parts["b"]), sum(parts["c"])
""",
        [(jnp.array(k), jnp.array(v)) for k, v in (([0, 1, 1, 0], [1.0, 4.0, 2.0, 3.0]), ([1, 0], [1.0, 2.0]))],
    ),
    "a word by branches": (
        """
def f(levels, x):
    parts = {"a": [], "b": [], "c": [], "none": []}
    for k, v in zip(levels, x):
        if k == 0:
            name = "a"
        elif v > 4 and k == 1:
            name = "b"
        else:
            name = "c"
        parts[name].append(v)
    return sum(parts["a"]), max(parts["b"], default=0.0), len(parts["c"]), len(parts["none"])
""",
        LEVELS,
    ),
}


@pytest.mark.parametrize("how", SERVED)
def test_each_word_has_its_own_test(how):
    """A string cannot leave compiled code, and none has to: all words are written in the code."""
    source, calls = SERVED[how]
    assert "comprehension" in check(TABLES + source, *calls, seconds=8.0).rewrites[0].patterns


LOOP = """
def f(levels, x):
    parts = {"low": [], "middle": [], "high": []}
    for k, v in zip(levels, x):
        parts[NAMES[int(k)]].append(v)
    return len(parts["low"]), len(parts["high"])
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"high": []}', '"top": []}'),
        ("append(v)", "append(len(parts['low']))"),
        ("        parts[", "        x = x * 2\n        parts["),
        ("        parts[", "        k = k + 1\n        parts["),
        ("    for k", "    parts['low'].append(0.0)\n    for k"),
        ('return len(parts["low"])', "return k"),
        ("append(v)\n", "append(v)\n        v = k\n"),
        ("NAMES[int(k)]].append(v)", "'low'].append(float(v))"),
        ("append(v)", "append(v.at[0].get(mode='clip') if v.ndim else (u := v))"),
        ("    for k, v in zip(levels, x)", "    pairs = zip(levels, x)\n    for k, v in pairs"),
        ('{"low": []', '{**{}, "low": []'),
        ("    for k", "    NAMES = ('high', 'low', 'middle')\n    for k"),
    ],
)
def test_more_than_that_is_left_alone(old, new):
    source = TABLES + LOOP.replace(old, new)
    assert "comprehension" in offered(TABLES + LOOP, *LEVELS[0])
    source = source.replace('len(parts["high"])', "0") if "top" in new else source
    assert "comprehension" not in offered(source, *LEVELS[0])


def test_a_word_of_two_branches_and_what_stands_beside_a_dict():
    """`or` binds less than `and`; a dict that is no line of its own is not taken out with what stands beside it."""
    source = """
def f(levels, x):
    parts = {"a": [], "b": [], "c": []}
    for k, v in zip(levels, x):
        if k == 0:
            name = "b"
        elif v > 4:
            name = "a"
        elif k == 1:
            name = "c"
        else:
            name = "a"
        parts[name].append(v)
    return len(parts["a"]), sum(parts["b"]), len(parts["c"])
"""
    check(source, *LEVELS)
    beside = LOOP.replace("    parts = ", "    n = 3; parts = ").replace("return len", "return n, len")
    check(TABLES + beside, *LEVELS)
