"""Callers that compute from call to call and so keep the GIL from the thread that looks for an end: it asks for it soon, for
a few calls now and then. The device, the clock, the scheduler and the GIL are simulated, as in `test_simulated_waits`."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from recording.executions.test_simulated_waits import ENTRY, World

from jupyter_jitmagic.recording.executions import gil, waiter
from jupyter_jitmagic.recording.executions.sightings import Sighting, pace_of
from jupyter_jitmagic.recording.executions.waiter import OutputWatch
from jupyter_jitmagic.recording.guards import resting_device
from jupyter_jitmagic.recording.guards.resting_device import Rest, rest_since


class Computing(World):
    """A caller that keeps the GIL until it hands the device its next call, unless it is asked for it."""

    INTERVAL_S = 5e-3

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(monkeypatch)
        monkeypatch.setattr(resting_device, "log", self.log)
        monkeypatch.setattr(self.log, "owner_of", lambda entry: 3)
        self.hurried = 0
        self.late_s: tuple[float, float] = (0.0, gil.SLACK_S)
        """By how much more than the interval it takes to have the GIL."""

    def begin(self, sighting: Sighting) -> None:
        sighting.hurried = sighting.hurries
        self.hurried += sighting.hurried
        super().begin(sighting)
        self.looks = math.inf

    def hand_over(self) -> None:
        super().hand_over()
        self._has_turn(waits=2)

    def compute(self, seconds: float) -> None:
        until, sighting = self.now + seconds, self.sighting
        self.had = self.had._replace(cpu_s=self.had.cpu_s + seconds)
        if sighting is not None:
            asks_s = gil.SHORT_S if sighting.hurried else self.INTERVAL_S
            began = self.now + asks_s + self.chance.uniform(*self.late_s)
            self.begun = began if began < sighting.array.ends else sighting.start
            looks = max(began, sighting.array.ends + asks_s + self.chance.uniform(*self.late_s))
            if looks < until:
                self.now = looks
                self._has_turn(waits=2)
        self.now = until

    def _has_turn(self, waits: int) -> None:
        """The thread beside has the GIL."""
        sighting = self.sighting
        if sighting is None or sighting.array.ends > self.now:
            return
        if self.begun == sighting.start:
            self.ended(sighting, sighting.start, self.now)
        else:
            self.saw(sighting, kept=1e-6, waits=waits)

    def rest(self) -> Rest | None:
        self.times(1)
        return rest_since(0.0)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Computing]:
    yield Computing(monkeypatch)


def share_of_rest(world: Computing, each_s: float) -> float:
    return 1 - float(np.mean(world.truth)) / each_s


def at_most(world: Computing) -> list[tuple[int, float]]:
    return list(world.log.columns.at_most)


@pytest.mark.parametrize("seconds", [0.0003, 0.001])
def test_of_short_executions_it_is_told_how_long_the_device_rested_at_least(world: Computing, seconds: float) -> None:
    for _ in range(600):
        world.call(seconds)
        world.compute(0.004)
    rest = world.rest()
    assert rest is not None and rest.bounded
    truth = share_of_rest(world, rest.each_s)
    assert truth - 0.1 < rest.share <= truth and rest.execute_s >= seconds
    assert all(lasted >= world.truth[call - 2] for call, lasted in at_most(world))


def test_no_call_has_a_time_that_is_not_its_own(world: Computing) -> None:
    for _ in range(600):
        world.call(0.0002 * world.chance.uniform(0.7, 1.3))
        world.compute(0.003)
    _, ratios = world.times(600)
    assert np.abs(ratios - 1).max(initial=0.0) < 0.06


def test_long_executions_have_a_time_where_they_are_looked_at(world: Computing) -> None:
    """Before the thread asked for the GIL none had one."""
    for _ in range(300):
        world.call(0.004 * world.chance.uniform(0.7, 1.3))
        world.compute(0.009)
    timed, ratios = world.times(300)
    assert timed > 0.05
    assert np.abs(ratios - 1).max() < 0.06
    rest = world.rest()
    assert rest is not None and not rest.bounded and rest.share == pytest.approx(share_of_rest(world, rest.each_s), abs=0.03)


@pytest.mark.parametrize("lengths", [(0.0002, 0.003), (0.0001, 0.0001, 0.0001, 0.012)])
def test_long_executions_among_short_ones_count_as_what_they_take(world: Computing, lengths: tuple[float, ...]) -> None:
    for i in range(1200):
        world.call(lengths[i * 7919 % 97 % len(lengths)])
        world.compute(0.004)
    rest = world.rest()
    assert rest is None or rest.share <= share_of_rest(world, rest.each_s) + 0.02
    times = world.log.columns.as_numpy()["execute_s"]
    assert not np.isfinite(times).any(), "the long ones would stand for all"


def test_a_device_that_works_while_python_computes_is_not_said_to_rest(world: Computing) -> None:
    for _ in range(600):
        world.call(0.0035)
        world.compute(0.004)
    assert world.rest() is None


def test_outputs_that_are_gone_before_they_are_seen_leave_it_unknown(world: Computing) -> None:
    """The long ones may be those that were not seen."""
    for _ in range(600):
        world.call(0.0002)
        world.compute(0.004)
    assert world.rest() is not None
    world.log.columns.at_most.append((len(world.truth), math.inf))
    assert rest_since(0.0) is None


@pytest.mark.parametrize("seconds", [0.0004, 0.005])
def test_for_a_caller_that_waits_nobody_asks_for_the_gil(world: Computing, seconds: float) -> None:
    waiting = World.begin
    world.begin = lambda sighting: waiting(world, sighting)  # type: ignore[method-assign]
    for _ in range(300):
        world.wait(world.call(seconds))
    assert not pace_of(ENTRY).starves


def test_a_caller_that_computes_no_longer_is_looked_at_as_any_other(world: Computing) -> None:
    for _ in range(300):
        world.call(0.0005)
        world.compute(0.004)
    assert world.pace.starves
    for _ in range(300):
        world.call(0.0005)
        world.sleep(0.004)
    assert not world.pace.starves


# ---- the interval itself


@pytest.fixture
def usual() -> Iterator[float]:
    waiter.waiter.stop()  # what tests before this one had it look at ends with it, and the interval is theirs no longer
    usual = sys.getswitchinterval()
    yield usual
    gil.restore()
    sys.setswitchinterval(usual)


def near(seconds: float) -> object:
    return pytest.approx(seconds, rel=1e-3)


def test_the_interval_is_short_until_it_is_restored_for_whom_it_was_shortened(usual: float) -> None:
    one, other = object(), object()
    assert gil.shorten(one) and not gil.shorten(other)
    assert sys.getswitchinterval() == near(gil.SHORT_S)
    gil.restore(other)
    assert sys.getswitchinterval() == near(gil.SHORT_S)
    for _ in range(2):
        gil.restore(one)
        assert sys.getswitchinterval() == near(usual)


def test_an_interval_that_someone_else_has_set_stays(usual: float) -> None:
    gil.shorten(usual)
    sys.setswitchinterval(0.02)
    gil.restore(usual)
    assert sys.getswitchinterval() == near(0.02)


def test_an_interval_that_is_short_already_is_left_alone(usual: float) -> None:
    sys.setswitchinterval(1e-5)
    assert not gil.shorten(usual)
    gil.restore()
    assert sys.getswitchinterval() == near(1e-5)


def test_who_reads_the_short_interval_and_sets_it_again_later_does_not_keep_it(usual: float) -> None:
    gil.shorten(usual)
    read = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    gil.restore(usual)
    assert sys.getswitchinterval() == near(1e-5)
    sys.setswitchinterval(read)
    waiter.drop_outdated(0.0)
    assert sys.getswitchinterval() == near(usual)


def test_where_someone_else_has_set_the_interval_no_end_is_reckoned_by_it(usual: float) -> None:
    mine, other = object(), object()
    gil.shorten(mine)
    assert gil.was_short(mine)
    sys.setswitchinterval(0.02)
    assert not gil.was_short(mine)
    gil.restore(mine)
    assert not gil.was_short(mine)
    sys.setswitchinterval(usual)
    gil.shorten(other)
    gil.restore(other)
    assert gil.was_short(other)


def test_without_a_gil_the_interval_stays(usual: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert not gil.shorten(usual) and sys.getswitchinterval() == near(usual)


class Pending:
    """An output that is not there until it is said to be."""

    def __init__(self) -> None:
        self.there = threading.Event()

    def is_ready(self) -> bool:
        return self.there.is_set()

    def block_until_ready(self) -> Pending:
        self.there.wait()
        return self


class Watched(OutputWatch):
    hurries = True

    def __init__(self, array: Pending) -> None:
        super().__init__(array, 0.0)
        self.seen = threading.Event()

    def ended(self) -> None:
        self.seen.set()


def end_it(watch: Watched, array: Pending) -> None:
    array.there.set()
    assert watch.seen.wait(60)


def come_back(watch: Watched, array: Pending) -> None:
    waiter.peek()


def stop(watch: Watched, array: Pending) -> None:
    array.there.set()
    waiter.waiter.stop()


@pytest.mark.parametrize("then", [end_it, come_back, stop])
def test_the_interval_is_restored_when_the_end_is_seen_or_the_caller_is_back(
    usual: float, then: Callable[[Watched, Pending], None]
) -> None:
    array = Pending()
    watch = Watched(array)
    assert waiter.waiter.watch(watch) and watch.hurried
    assert sys.getswitchinterval() == near(gil.SHORT_S)
    then(watch, array)
    assert sys.getswitchinterval() == near(usual)
    array.there.set()
    waiter.waiter.stop()


def test_ctrl_c_while_an_output_is_handed_to_the_thread_leaves_the_interval(
    usual: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(watch: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(waiter.waiter, "_put", interrupted)
    with pytest.raises(KeyboardInterrupt):
        waiter.waiter.watch(Watched(Pending()))
    assert sys.getswitchinterval() == near(usual)
    waiter.waiter.stop()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_the_usual_interval(usual: float) -> None:
    gil.shorten(usual)
    before = gil._short
    gil.after_fork()  # what the child runs
    assert before is not None and sys.getswitchinterval() == near(usual)
