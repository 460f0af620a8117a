"""Callers that are as far ahead as JAX lets them: what their returns tell, and when nothing is believed of them."""

from __future__ import annotations

import math
import random
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.executions import held_back
from jupyter_jitmagic.recording.executions.held_back import HeldBack, Returns, Told, mean_of

DISPATCH_S = 2e-5
TIMES = {1: 0.006, 2: 0.003, 3: 0.0045}


class Call(NamedTuple):
    array: float
    """When it ends."""
    entry: int
    number: int


class Caller:
    """Hands a device that works in order its calls, as many ahead as there is room for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int = 32) -> None:
        self.now = self.free = self.latest = 0.0
        self.room, self.number = room, 0
        self.given: list[float] = []
        self.truth: list[float] = []
        self.held = HeldBack()
        monkeypatch.setattr(held_back, "is_ready", lambda ends: ends <= self.now)
        monkeypatch.setattr(held_back, "untold", set())

    def gives(self, seconds: float) -> None:
        """Also what is in no row, as an operation of JAX's own."""
        self.now += DISPATCH_S
        if len(self.given) >= self.room:
            self.now = max(self.now, self.given[-self.room])
        self.free = max(self.free, self.now) + seconds
        self.given.append(self.free)

    def call(self, entry: int, seconds: float) -> None:
        start = self.now
        self.gives(seconds)
        self.number += 1
        self.held.took(self.now - start)
        self.held.returned(self.number, self.now - start, self.now - self.latest)
        self.held.made(Call(self.free, entry, self.number))
        self.latest = self.now
        self.truth.append(seconds)

    def steps(self, count: int) -> None:
        chance = random.Random(1)
        for i in range(count):
            entry = i % 3 + 1
            self.call(entry, TIMES[entry] * chance.uniform(0.9, 1.1))

    def told(self) -> list[tuple[float, float]]:
        """Of each call that is told what is said and what is true."""
        told = self.held.hand_over()
        assert told is not None
        pairs = zip(told.seconds, self.truth[: len(told.seconds)], strict=True)
        return [(said, true) for said, true in pairs if not math.isnan(said)]


def test_the_returns_of_a_caller_that_is_held_back_tell_what_each_call_took(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller(monkeypatch)
    caller.steps(120)
    assert caller.held.holds
    pairs = caller.told()
    assert len(pairs) > 80
    np.testing.assert_allclose(*zip(*pairs, strict=True), atol=1e-9)


@pytest.mark.parametrize("room", [1, 2, 32])
def test_a_caller_that_is_slower_than_the_device_tells_nothing(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Each of its returns finds that one call has just ended: that says how long the caller took."""
    caller = Caller(monkeypatch, room)
    for _ in range(120):
        caller.call(1, DISPATCH_S / 2)
    assert not caller.held.holds
    assert caller.told() == []


def test_what_is_in_no_row_leaves_its_neighbours_unknown_and_makes_nothing_false(monkeypatch: pytest.MonkeyPatch) -> None:
    caller, chance = Caller(monkeypatch), random.Random(3)
    for _ in range(100):
        if chance.random() < 0.2:
            caller.gives(0.001)
        caller.steps(3)
    pairs = caller.told()
    assert 50 < len(pairs) < 250
    np.testing.assert_allclose(*zip(*pairs, strict=True), atol=1e-9)


def test_after_a_pause_only_those_calls_are_told_whose_caller_was_held_back_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is away for as long as some calls take, and then hands as many over at once: of none of these anything is known."""
    caller = Caller(monkeypatch)
    for _ in range(8):
        caller.steps(24)
        caller.now += 0.023
    pairs = caller.told()
    assert len(pairs) > 60
    np.testing.assert_allclose(*zip(*pairs, strict=True), atol=1e-9)


def test_nothing_is_held_where_calls_were_not_all_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller(monkeypatch)
    caller.steps(20)
    caller.held.made(Call(1.0, 1, 30))
    assert [call.number for call in caller.held._running] == [30]


def test_an_entry_of_which_little_is_told_again_and_again_is_to_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of some it would be the long ones, and these would stand for the others."""
    monkeypatch.setattr(held_back, "untold", set())
    returns, told = Returns(), Told([1, 2] * 4, [0.004, 0.002, *[0.004, math.nan] * 3], 0.0)
    half = Told([1, 2] * 4, [0.004, 0.002, 0.004, math.nan] * 2, 0.0)
    patient = Returns()
    assert [patient.learn(half) for _ in range(5)] == [[1]] * 5 and not held_back.untold  # too few, but there may be more
    assert returns.learn(told) == [1] and not held_back.untold
    assert returns.learn(told) == returns.learn(told) == [1]
    assert held_back.untold == {2}
    assert returns.learn(Told([1, 2] * 4, [0.004, 0.002] * 4, 0.0)) == [1, 2] and not held_back.untold


def test_what_takes_many_times_as_long_now_and_then_has_no_mean() -> None:
    assert mean_of([0.001] * 5, 5, 0.0, 0.1) == pytest.approx(0.001)
    assert mean_of([0.001] * 4 + [0.04], 5, 0.0, 0.1) is None


def test_a_mean_of_some_is_that_of_all_only_where_they_are_alike() -> None:
    alike, not_alike = [0.001, 0.00105] * 6, [0.0005, 0.0015] * 6
    assert mean_of(alike, 16, 0.0, 0.1) is not None
    assert mean_of(not_alike, 16, 0.0, 0.1) is None
    assert mean_of(not_alike, 12, 0.0, 0.1) is not None  # these are all


def test_it_takes_two_sights_that_agree_to_believe_that_a_caller_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller(monkeypatch)
    caller.steps(33)
    assert not caller.held.holds
    caller.steps(1)
    assert caller.held.holds


def test_jax_says_of_an_output_that_it_is_there_before_it_lets_the_caller_go_on() -> None:
    """Else each return would tell of the call before: of two functions by turns each would have the other's time."""

    def work(x: jax.Array, times: int) -> jax.Array:
        return jax.lax.fori_loop(0, times, lambda _, x: jnp.tanh(x @ x), x)

    def short(x: jax.Array) -> jax.Array:
        return work(x, 3)

    def long(x: jax.Array) -> jax.Array:
        return work(x, 24)

    f, g = jm.jit(short), jm.jit(long)
    x = jnp.ones((64, 64)) / 64
    for _ in range(300):
        x = g(f(x))
    x.block_until_ready()
    calls = jm.stats("calls")
    medians = [
        calls[(calls.function == name) & (calls.execute_how == "averaged")].execute_s.median() for name in ("short", "long")
    ]
    assert any(map(math.isnan, medians)) or medians[1] > 2 * medians[0]
