"""Calls near Python's recursion limit, or where memory runs out: the user's result stays, and later calls are recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording import jitted
from jupyter_jitmagic.recording.calls import entries
from jupyter_jitmagic.recording.compiles import elsewhere


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []
    monkeypatch.setattr(jm.faults, "show", told.append)
    jm.reset()
    return told


def depth() -> int:
    frame, count = sys._getframe(), 0
    while frame is not None:
        frame, count = frame.f_back, count + 1
    return count


def with_room(frames: int, call: Callable[[], Any]) -> Any:
    """What `call` gives where so many more frames fit; None where they are not enough."""

    def down(left: int) -> Any:
        return call() if left <= 0 else down(left - 1)

    try:
        return down(sys.getrecursionlimit() - depth() - frames)
    except RecursionError:
        return None


def least_room(call: Callable[[], Any]) -> int:
    return next(frames for frames in range(3, 60) if with_room(frames, call) is not None)


def test_a_hit_that_leaves_no_room_for_our_frames_gives_its_result_and_the_next_is_recorded() -> None:
    plain, f = jax.jit(lambda x: x + 1), jm.jit(lambda x: x + 1)
    x = np.ones(2, "f4")

    def close_call() -> Any:
        f._state.look_closely()
        return f(x)

    plain(x), f(x), f(x)
    assert (
        least_room(close_call) <= least_room(lambda: plain(x)) + 4
    )  # the closure, what it asks, and the waiter where it looks
    assert all(with_room(frames, close_call) is not None for frames in range(20, 60))
    before = int(jm.stats().calls.iloc[0])
    close_call()
    assert jm.stats().calls.tolist() == [before + 1]
    jm.faults.clear()


def test_a_miss_near_the_limit_does_not_end_recording() -> None:
    def fun(x):
        return x + 1

    x = np.ones(2, "f4")
    compiled = 0
    for frames in range(60, 300, 40):
        f = jm.jit(lambda x: fun(x))
        compiled += with_room(frames, lambda f=f: f(x)) is not None  # type: ignore[misc]
        f(np.ones(3, "f4")), f(np.ones(3, "f4")), f(x)
        assert f._state.recording
        calls = jm.stats("calls")
        assert calls[calls.function == f._state.name].outcome.tolist()[-2:] == ["hit", "hit" if compiled else "miss"]
    assert compiled
    jm.faults.clear()


@pytest.mark.parametrize("error", [RecursionError, MemoryError])
def test_a_limit_met_in_our_own_code_costs_the_row_of_this_call_only(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch, clean: list[str]
) -> None:
    def limited(*_: Any, **__: Any) -> Any:
        raise error

    f = jm.jit(lambda x: x + 1)
    f(np.ones(1, "f4"))
    for module, name in ((entries, "causes_of"), (jitted, "signature_of")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, limited)
            assert f(np.ones(2 + len(name), "f4")).tolist() == [2] * (2 + len(name))
    for n in (10, 11, 1, 14):  # two of them compiled in the calls that have no row
        f(np.ones(n, "f4"))
    rows = jm.stats("entries")
    assert dict(zip(rows.avals, rows.hits, strict=True)) == {"f32[1]": 1, "f32[10]": 0, "f32[11]": 1, "f32[14]": 1}
    assert jm.stats("calls").outcome.tolist() == ["miss", "miss", "hit", "hit", "hit"]
    assert [text for text in clean if "have no row" in text] and len(clean) == 1
    jm.faults.clear()


def test_a_tree_of_a_six_hundred_levels_is_recorded_as_any_other() -> None:
    def deep(n: int) -> Any:
        tree: Any = jnp.ones(n)
        for _ in range(600):
            tree = {"a": tree}
        return tree

    def leaf(tree):
        while isinstance(tree, dict):
            tree = tree["a"]
        return tree * 2

    f = jm.jit(leaf)
    f(deep(2)), f(deep(2)), f(deep(3)), f(deep(2))
    assert jm.stats("calls").outcome.tolist() == ["miss", "hit", "miss", "hit"]
    assert jm.stats("misses").cause.tolist() == ["first_call", "shape"]
    assert jm.stats("entries").hits.tolist() == [2, 0]


@pytest.mark.parametrize("error", [RecursionError, MemoryError])
def test_a_limit_met_while_a_compile_elsewhere_is_followed_is_no_fault_of_ours(
    error: type[Exception], clean: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_the_limit(*_: Any) -> None:
        raise error

    jm.jit(lambda x: x)  # from here on we listen
    with monkeypatch.context() as broken:
        broken.setattr(elsewhere.Others, "_on_span", at_the_limit)
        assert jax.jit(lambda x: x * 3)(np.ones(5, "f4")).tolist() == [3] * 5
    assert clean == []
