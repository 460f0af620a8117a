"""Dicts of lists that a loop fills by keys that are data."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

CALLS = [
    (jnp.array([2, 0, 2, 3, 0, 2, 3]), jnp.array([12.0, 3.0, 4.0, 9.0, 25.0, 5.0, 1.0]), jnp.array([5.0, 2.0, 5.0, 1.0, 0.0])),
    (jnp.array([1]), jnp.array([2.5]), jnp.array([0.5, 1.0])),
]

FILLS = {
    "setdefault": """
    groups = {}
    for p, a in zip(policy, amount):
        groups.setdefault(int(p), []).append(a)
""",
    "asked first": """
    groups = dict()
    for i in range(len(policy)):
        if int(policy[i]) not in groups:
            groups[int(policy[i])] = []
        groups[int(policy[i])].append(amount[i])
""",
    "defaultdict": """
    groups = defaultdict(list)
    for p, a in zip(policy, amount):
        groups[int(p)].append(a)
""",
}


@pytest.mark.parametrize("how", FILLS)
def test_each_list_is_what_the_loop_ran_over_where_the_key_is_its_own(how):
    source = f"""
from collections import defaultdict

def f(policy, amount, deductible):{FILLS[how]}
    paid, number = [], []
    for p, d in enumerate(deductible):
        above = [a - d for a in groups.get(p, []) if a > d]
        paid.append(sum(above))
        number.append(len(above))
    return jnp.array(paid, dtype=float), jnp.array(number)
"""
    text = check(source, *CALLS).rewrites[0].source
    assert "groups" not in text


def test_a_list_that_a_defaultdict_has_not_is_empty():
    source = """
from collections import defaultdict

def f(policy, amount, deductible):
    groups = defaultdict(list)
    for p, a in zip(policy, amount):
        groups[int(p)].append(a)
    return jnp.array([sum(groups[k]) * k for k in range(len(deductible))])
"""
    check(source, *CALLS)


@pytest.mark.parametrize(
    "lines",
    [
        "amount = amount * 2\n    return jnp.array([sum(groups.get(k, [])) for k in range(4)])",  # another is read
        "return jnp.array([sum(v) for v in groups.values()])",  # in the order of the keys
        "groups[0] = [1.0]\n    return jnp.array([sum(groups.get(k, [])) for k in range(4)])",
    ],
)
def test_what_is_read_otherwise_or_changes_stays_a_dict(lines):
    source = f"""
def f(policy, amount):{FILLS["setdefault"]}
    {lines}
"""
    assert "comprehension" not in offered(source, *CALLS[0][:2])


@pytest.mark.parametrize(
    "fill",
    [
        "totals = {}\n    for p, a in zip(policy, amount):\n        totals[int(p)] = totals.get(int(p), 0.0) + a",
        "totals = defaultdict(float)\n    for i, p in enumerate(policy):\n        totals[int(p) % 4] += amount[i]",
    ],
)
def test_sums_by_key_are_read_so_too(fill):
    source = f"""
from collections import defaultdict

def f(policy, amount, deductible):
    {fill}
    return totals.get(0, 0) - totals.get(2, 0.0), [totals.get(k, 0.0) for k in range(3)]
"""
    text = check(source, *CALLS).rewrites[0].source
    assert "totals" not in text


def test_labels_of_floats_are_the_integers_below_them():
    source = f"""
def f(policy, amount):{FILLS["setdefault"]}
    return jnp.array([sum(groups.get(k, [])) for k in range(4)])
"""
    policy, amount, _ = CALLS[0]
    check(source, (policy, amount), (policy + 0.5, amount))


def test_tuples_that_are_appended_stay_tuples():
    source = """
def f(policy, amount):
    groups = {}
    for i, p in enumerate(policy):
        groups.setdefault(int(p), []).append((amount[i], i))
    return jnp.array([sum(a * (i + 1) for a, i in groups.get(k, [])) for k in range(4)])
"""
    text = offered(source, *CALLS[0][:2])
    assert "comprehension" in text
