"""Entries of a dict that are set behind a choice that returns: each side has a dict of its own."""

from __future__ import annotations

import jax.numpy as jnp

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

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


def test_an_entry_that_another_one_reads_is_set_before_it():
    source = """
def f(x):
    state = {"a": x, "b": x}
    if x > 0:
        state["a"] = x + 1
        state["b"] = state["a"] * 2
        return state["a"] + state["b"]
    return state["b"] - 1
"""
    check(source, (jnp.float32(2),), (jnp.float32(-2),))


def test_a_dict_with_a_second_name_stays_one():
    """A copy of it would leave the other name behind."""
    source = """
def f(x):
    state = {"a": x}
    other = state
    if x > 0:
        state["a"] = x + 1
        return other["a"]
    return x
"""
    found = propose(define(source)["f"], (jnp.float32(2),), {})
    assert not any("**state" in each.source for each in found.rewrites)
