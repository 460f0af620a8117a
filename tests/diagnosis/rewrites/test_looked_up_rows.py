"""Dicts made of arrays at once, asked by keys that are data: joins of two tables."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

TABLES = [
    tuple(map(jnp.array, rows))
    for rows in (
        ([1, 2, 3, 5], [2.0, 4.0, 8.0, 16.0], [3, 9, 1, 1]),
        ([7, 7, 2, 7], [1.0, 2.0, 3.0, 4.0], [7, 2, 0, 7]),
        ([4], [0.5], [4, 5]),
    )
]
SERVED = [
    "whole = {int(k): int(v) for k, v in zip(codes, rates)}\n    return whole.get(int(asked[0]), 1) / 2",
    "rate = {int(k): v for k, v in zip(codes, rates)}\n    return jnp.array([rate.get(int(c), -1.0) for c in asked])",
    "rate = dict(zip(codes.tolist(), rates.tolist()))\n    return sum(rate.get(c, 0.5) for c in asked.tolist())",
    "row = {int(k): i for i, k in enumerate(codes)}\n    total = 0.0\n    for c in asked:\n        if int(c) in row:\n"
    "            total += rates[row[int(c)]]\n    return total",
    "at = {k.item(): (i) for i, (k, v) in enumerate(zip(codes, rates))}\n    return at.get(asked[0].item(), -1), 2 not in at",
    "rate = {int(k): float(v) for k, v in zip(codes, rates)}\n    c = int(asked[0])\n    return rate[c] if c in rate else 0.0",
    "pair = {(int(k), int(v)): v for k, v in zip(codes, rates)}\n    return pair.get((int(asked[0]), 8), 9.0)",
]


@pytest.mark.parametrize("body", SERVED)
def test_the_last_of_the_same_key_counts(body):
    """Nothing was found: no tracer is a key. A dict keeps the last value of a key, and gives a default for others."""
    rewrite = check(f"def f(codes, rates, asked):\n    {body}\n", *TABLES).rewrites[0]
    assert "isin" in rewrite.patterns and "def place_in_" in rewrite.source


def test_values_of_a_row_that_is_not_there_may_be_asked_for():
    """Python raises KeyError, and the answer says what compiled code gives."""
    source = (
        "def f(codes, rates, asked):\n    rate = {int(k): v for k, v in zip(codes, rates)}\n    return rate[int(asked[0])]\n"
    )
    compared = check(source, TABLES[0], TABLES[1], TABLES[2]).rewrites[0].compared
    assert compared is not None and any("KeyError" in each for each in compared.not_reached)


MADE = "rate = {int(k): v for k, v in zip(codes, rates)}"


@pytest.mark.parametrize(
    "body",
    [
        f"{MADE}\n    rate[3] = 0.0\n    return rate.get(int(asked[0]), 1.0)",
        f"{MADE}\n    codes = codes + 1\n    return rate.get(int(asked[0]), 1.0) + codes[0]",
        f"{MADE}\n    return rate.get(int(asked[0]), 1.0) + len(rate)",
        f"{MADE}\n    return rate.get(int(asked[0]))",
        f"{MADE}\n    return rate.get(int(asked[0]), rate.get(3, 1.0))",
        "rate = {float(v): k for k, v in zip(codes, rates)}\n    return rate.get(float(rates[0]), 1)",
        "rate = {v.item(): k for k, v in zip(codes, rates)}\n    return rate.get(rates[0].item(), 1)",
        f"{MADE}\n    return 1.0 if rate in [0, 1] else rate.get(int(asked[0]), 1.0)",
        "rate = {int(k): v for k, v in zip(codes, rates) if v > 3}\n    return rate.get(int(asked[0]), 1.0)",
        "rate = {int(k) % 3: v for k, v in zip(codes, rates)}\n    return rate.get(int(asked[0]), 1.0)",
        "rate = {int(k): v for k, v in zip(codes, asked[:2])}\n    return rate.get(int(asked[0]), 1.0)",
    ],
)
def test_dicts_that_are_made_or_asked_otherwise_are_left_alone(body):
    text = "def f(codes, rates, asked):\n    {}\n"
    assert "isin" in offered(text.format(f"{MADE}\n    return rate.get(int(asked[0]), 1.0)"), *TABLES[0])
    assert "isin" not in offered(text.format(body), *TABLES[0])


def test_names_of_columns_are_not_those_of_the_function_that_finds_a_place():
    body = "rate = dict(zip(key.tolist(), same.tolist()))\n    return rate.get(int(asked[0]), 0.5)\n"
    check(f"def f(key, same, asked):\n    {body}", *TABLES)


def test_an_array_that_is_another_behind_the_dict_is_not_asked_then():
    text = "def f(codes, rates, asked):\n    {}\n    {}return rate.get(int(asked[0]), 1.0) + rates[0]\n"
    assert "isin" in offered(text.format(MADE, ""), *TABLES[0])
    assert "isin" not in offered(text.format(MADE, "rates = rates + 1\n    "), *TABLES[0])
