"""Dicts that are records, one of whose fields is one of a few names."""

import jax.numpy as jnp

from .helpers import check, define, propose

X = jnp.array([1.0, -2.0, 3.0, -0.5, 2.5, 0.25])
CALLS = ((X,), (-X,), (jnp.zeros(6),), (X * 3,), (jnp.arange(6.0),))
PUMP = """
def f(x):
    state = {"mode": "idle", "volume": 0.0}
    for v in x:
        if state["mode"] == "idle":
            if v < 0:
                state["mode"] = "fill"
        else:
            state["volume"] += v
            if v > 1:
                state["mode"] = "idle"
    return state["volume"]
"""


def test_a_record_whose_mode_data_chooses():
    """Nothing was found."""
    assert "IDLE" in check(PUMP, *CALLS).rewrites[0].source


def test_a_record_that_is_returned_stays_one():
    source = PUMP.replace('return state["volume"]', "return state")
    assert not propose(define(source)["f"], (X,), {}).rewrites


BEST = """
def f(x):
    best = {"gain": -jnp.inf, "at": None}
    for i, v in enumerate(x):
        if v * v > best["gain"]:
            best = {"gain": v * v, "at": i}
    return best["at"], best["gain"]
"""
TRADES = """
def f(x):
    state = {"pos": "flat", "pnl": 0.0, "entry": None}
    for v in x:
        if state["pos"] == "flat" and v > 0:
            state = {"pos": "long", "pnl": state["pnl"] - 0.1, "entry": v}
        elif state["pos"] == "long" and v < 0:
            state = {"pos": "flat", "pnl": state["pnl"] + v - state["entry"], "entry": None}
    return state["pnl"]
"""


def test_a_record_that_a_loop_makes_anew_is_a_variable_for_each_field():
    """Nothing was found: a field is None before the first one, and again later."""
    assert "best_at" in check(BEST, *CALLS).rewrites[0].source
    found = check(TRADES, *CALLS)
    assert "state_pnl" in found.rewrites[0].source


def test_fields_that_are_computed_of_each_other_are_set_at_once():
    source = 'def f(x):\n    s = {"a": 1.0, "b": 2.0, "mode": "up"}\n    for v in x:\n        if v > 0 and s["mode"] == "up":\n'
    source += '            s = {"a": s["b"] + v, "b": s["a"], "mode": "down"}\n        else:\n            s["mode"] = "up"\n'
    source += '    return s["a"] - s["b"] * 2\n'
    assert "s_a, s_b = " in check(source, *CALLS).rewrites[0].diff
