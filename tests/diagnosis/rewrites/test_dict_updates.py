"""Entries of a dict that are set behind a choice that returns: each side has a dict of its own."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import applied, check, define, offered, propose

UPDATE = """
def f(grads, state, limit=2):
    scale = state["scale"]
    state = dict(state)
    if jnp.isinf(grads).any():
        state["scale"] = jnp.maximum(scale * 0.5, 1.0)
        state["good"] = 0
        state["skipped"] += 1
        return grads * 0, state
    state["good"] += 1
    if state["good"] == limit:
        state["scale"] = scale * 2.0
        state["good"] = 0
    return grads / scale, state
"""
FINE, BROKEN = jnp.array([1.0, 2.0]), jnp.array([1.0, jnp.inf])


def _state(scale, good):
    return {"scale": jnp.float32(scale), "good": jnp.int32(good), "skipped": jnp.int32(0)}


def test_neither_side_sees_what_the_other_has_set():
    found = check(
        UPDATE, (FINE, _state(8, 0)), (FINE, _state(8, 1)), (BROKEN, _state(8, 1)), (BROKEN, _state(1, 0)), seconds=20.0
    )
    assert "dict" in found.rewrites[0].patterns
    assert 'state = {**state, "good": state["good"] + 1}' in found.rewrites[0].source


@pytest.mark.parametrize(
    "second",
    [
        'state["b"] = state["a"] * 2',
        "state['b'] = state['a'] * 2",
        'state["b"] = sum(state.values())',
        'state["b"] = total(state)',
    ],
)
def test_an_entry_that_another_one_reads_is_set_before_it(second):
    source = f"""
def total(state):
    return state["a"] + state["b"]

def f(x):
    state = {{"a": x, "b": x}}
    if x > 0:
        state["a"] = x + 1
        {second}
        return state["a"] + state["b"]
    return state["b"] - 1
"""
    found = check(source, (jnp.float32(2),), (jnp.float32(-2),), seconds=10.0)
    anew = [each.source for each in found.rewrites if "dict" in each.patterns]
    assert anew and all('"a": x + 1}' in source for source in anew), "the other entry stands in a statement of its own"


def test_keys_that_may_be_one_are_set_one_after_the_other():
    source = """
def f(x, state, src="a", dst="b"):
    state = dict(state)
    if x > 0:
        state[src] = state[src] - x
        state[dst] = state[dst] + x
        return state
    return state
"""
    state, static = {"a": jnp.float32(1), "b": jnp.float32(3)}, ("src", "dst")
    calls = [(jnp.float32(x), state, "a", dst) for x in (2, -2) for dst in ("b", "a")]
    check(source, *calls, static=static, seconds=10.0)


ELSEWHERE = """
def f(x):
    state = {{"a": x}}
    {held}
    if x > 0:
        state["a"] = x + 1
        return {read}
    return x
"""


@pytest.mark.parametrize(
    ("held", "read"),
    [
        ("other = state", 'other["a"]'),
        ("others = [state]", 'others[0]["a"]'),
        ("others = []\n    others.append(state)", 'others[0]["a"]'),
        ("values = state.values()", "sum(values)"),
    ],
)
def test_a_dict_with_a_second_name_stays_one(held, read):
    """A copy of it would leave the other name behind."""
    assert "dict" not in offered(ELSEWHERE.format(held=held, read=read), jnp.float32(2))


def test_a_dict_of_the_function_around_stays_one():
    source = """
def f(x, y):
    state = {"a": y}
    def g(v):
        if v > 0:
            state["a"] = v + 1
            return v
        return -v
    return g(x) + state["a"]
"""
    assert "dict" not in offered(source, jnp.float32(2), jnp.float32(1))


@pytest.mark.parametrize(
    "body",
    [
        's["n"]["a"] += 10.0\n        s["m"] -= 6.0\n',
        's["n"]["a"] = t\n        s["m"] = s["n"]["a"] - 6.0\n    else:\n        s["n"]["b"] = s["n"]["a"] * 2\n',
        'most = t * 2\n        s["n"]["a"] = most\n        s["n"]["b"] += most\n',
    ],
)
def test_items_of_dicts_within_one_are_set_one_after_the_other(body):
    """Whole numbers beside floats: `cond` of two dicts has two dtypes, and nothing was proven."""
    source = f'def f(s, t):\n    s = {{**s, "n": dict(s["n"])}}\n    if s["n"]["a"] < t:\n        {body}    return s\n'
    calls = [({"m": 1, "n": {"a": a, "b": 2}}, t) for a, t in ((3, 2.0), (3, 4.0), (0.5, 1), (4, 4))]
    check(source, ({"m": 1.5, "n": {"a": 3.0, "b": 2.5}}, 3.5), *calls)


def test_items_of_a_loop_over_keys_and_of_lists():
    source = 'def f(s, d):\n    s = {"n": dict(s), "seen": [[0, 0], [0.5]]}\n    for name, v in d.items():\n'
    source += '        if s["n"][name] < v:\n'
    source += (
        '            s["n"][name] += 10.0\n            s["seen"][0][1] += 1\n            s["seen"][1][0] = v\n    return s\n'
    )
    calls = ({"a": 1, "b": 5.0}, {"a": 2.0, "b": 3.0}), ({"a": 3, "b": 5}, {"a": 2, "b": 30}), ({"a": 1}, {"a": 0.5})
    assert "is no key" not in str(check(source, *calls).rewrites[0].compared)
    found = check(source.replace('if s["n"][name] < v', "if v > 1"), *calls)
    assert 'where name is no key of s["n"] it fails' in str(found.rewrites[0].compared)


@pytest.mark.parametrize("over", ["name in s", "name, v in s.items()", "name in s.keys()"])
def test_keys_of_the_dict_itself_are_there(over):
    source = f"def f(s, t):\n    s = dict(s)\n    for {over}:\n        if t > 1:\n            s[name] = t\n    return s\n"
    assert "is no key" not in str(check(source, ({"a": 1.0, "b": 2.0}, 2.0), ({"a": 1.0}, 0.5)).rewrites[0].compared)


def test_an_item_that_is_not_there_yet_is_not_set_where_the_test_does_not_hold():
    """Plain Python's dict has no such key then."""
    source = 'def f(s, t):\n    s = dict(s)\n    if s["a"] < t:\n        s["a"] = t\n        s["new"] = 1.0\n    return s\n'
    assert not propose(define(source)["f"], ({"a": 1.0}, 2.0), {}).rewrites


COUNTS = """
def f(bits):
    state = {"run": 0, "best": 0, "flips": 0}
    before = bits[0]
    for bit in bits:
        if bit == before:
            state["run"] += 1
        else:
            {update}
        state["best"] = max(state["best"], state["run"])
        before = bit
    return state
"""
BITS = jnp.array([1, 1, 0, 0, 0, 1])


@pytest.mark.parametrize(
    "update",
    [
        'state.update(run=1, flips=state["run"])',
        'state.update({"run": 1, "flips": state["run"]})',
        'state.update({"run": 1}, flips=state["run"])',
        'state.update(\n                run=1,\n                flips=state["run"]\n                + 0,\n            )',
    ],
)
def test_entries_set_by_update_are_set_together(update):
    """What the second one reads is the first one's value from before."""
    source = COUNTS.replace("{update}", update)
    found = check(source, (BITS,), (1 - BITS,), (BITS[:1],), (BITS[::-1],))
    assert "dict" in found.rewrites[0].patterns
    with applied(found, namespace := define(source)):
        assert namespace["f"](jnp.array([1, 1, 0]))["flips"] == 2, "the run from before"


@pytest.mark.parametrize("update", ["state.update(more)", "state.update(**more)", "state.update([('run', 1)])"])
def test_entries_that_are_not_written_out_stay(update):
    source = COUNTS.replace("{update}", update).replace("before = bits[0]", 'before, more = bits[0], {"run": 1}')
    assert "dict" not in offered(source, BITS)
