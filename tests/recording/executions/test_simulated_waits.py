"""Callers that wait for each of their calls, of which the device, the clock, the scheduler and the thread that waits beside
them are simulated: what share of the calls gets a time, how near it is to what the device took, and that a bad beginning does
not last."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jupyter_jitmagic.recording import hot_path
from jupyter_jitmagic.recording.executions import hit_watching, observation, sightings, waiter, waiting_caller
from jupyter_jitmagic.recording.executions.hit_watching import HitWatching
from jupyter_jitmagic.recording.executions.outputs import Outputs
from jupyter_jitmagic.recording.executions.scheduling import Account
from jupyter_jitmagic.recording.executions.sightings import Sighting
from jupyter_jitmagic.recording.executions.waiting_caller import Returning
from jupyter_jitmagic.records import log as log_module

ENTRY = 1
PROMPT, BUSY = (2e-5, 6e-5), (2e-3, 2e-2)
"""By how many seconds a thread is kept from the processor on a quiet machine, and on one that has much else to do."""


class Output:
    def __init__(self, ends: float) -> None:
        self.ends = ends

    def is_deleted(self) -> bool:
        return False


class World:
    """A caller, a device, and a thread beside it that is woken with the caller, after it, or late."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.chance = random.Random(1)
        self.kept = PROMPT
        self.caller_first = 0.5
        """How often the caller is woken first: the other thread then waits until it lets go of the GIL."""
        self.waits_each = 1
        """How often the caller gives up the processor where it waits for a result."""
        self.cpu_s = 3e-5
        """What it computes from one call to the next."""
        self.had = Account(0, 0.0, 0.0, 0)
        self.sighting: Sighting | None = None
        self.begun = self.looks = self.free = 0.0
        self.pushed_back = False
        self.queue: list[Sighting] = []
        self.truth: list[float] = []
        self.watching = HitWatching("observe")
        self.gate = -math.inf
        log = log_module.Log()
        record = SimpleNamespace(execute_s=None, alive=True)
        monkeypatch.setattr(log, "known_entry", lambda entry: record, raising=False)
        for module in (observation, hot_path):
            monkeypatch.setattr(module, "log", log)
        self.log = log
        monkeypatch.setattr(hot_path, "_buffer", [])
        monkeypatch.setattr(hot_path, "extend", hot_path._buffer.extend)
        for name, value in (("_retired", []), ("_emptied", 0.0), ("_each_s", 0.0)):  # real calls follow in real time
            monkeypatch.setattr(hot_path, name, value)
        waiter.waiter.stop()  # what tests before this one had it look at ends with it
        queue: deque[Sighting] = deque()
        paces: dict[int, sightings.Pace] = {}
        for module in (observation, sightings):
            monkeypatch.setattr(module, "to_judge", queue)
            monkeypatch.setattr(module, "paces", paces)
        monkeypatch.setattr(observation, "_ends", {})
        monkeypatch.setattr(observation, "_judged", {})
        monkeypatch.setattr(observation.ahead, "_outputs", Outputs())  # a real entry of the same number follows
        monkeypatch.setattr(hit_watching.spans, "compiled_until", -math.inf)
        monkeypatch.setattr(observation.spans, "anything_compiled", lambda start, end: False)
        monkeypatch.setattr(hit_watching, "TELLS", True)
        monkeypatch.setattr(waiter, "watching", [])
        monkeypatch.setattr(waiting_caller, "watching", waiter.watching)
        for module in (sightings, waiting_caller):
            monkeypatch.setattr(module, "waiter", self)
            monkeypatch.setattr(module, "smallest_output", lambda out: out)
        for module in (sightings, waiting_caller, waiter):
            monkeypatch.setattr(module, "is_ready", lambda array: array.ends <= self.now)
            monkeypatch.setattr(module, "account", lambda: self.had)
        for module in (sightings, waiter):
            monkeypatch.setattr(module, "perf_counter", lambda: self.now)
        log.columns.extend((self.now, self.now, float(ENTRY)))  # a miss, before which nothing was handed over
        log.columns.change(0, ENTRY, 1)
        observation._ends[1] = self.now, self.now

    # -- in the place of `waiter`

    def watch(self, sighting: Sighting) -> bool:
        if sum(each.holds for each in waiter.watching) >= waiter.Waiter.depth:
            return False
        waiter.watching.append(sighting)
        if self.sighting is None:
            self.begin(sighting)
        else:
            self.queue.append(sighting)
        return True

    def begin(self, sighting: Sighting) -> None:
        self.sighting, self.pushed_back = sighting, self.chance.random() < self.caller_first
        self.begun = self.now if self.now < sighting.array.ends and not sighting.asked else sighting.start
        self.looks = max(self.now, self.now if sighting.asked else sighting.array.ends) + self.late()

    def hold(self) -> None:
        """It looks by itself."""

    # -- the loop

    @property
    def pace(self) -> sightings.Pace:
        return sightings.pace_of(ENTRY)

    def late(self) -> float:
        return self.chance.uniform(*self.kept)

    def call(self, seconds: float) -> Output:
        if waiter.watching:
            waiter.peek()
        start = self.now
        self.hand_over()
        out = Output(max(self.now, self.free) + seconds)
        self.free = out.ends
        self.truth.append(seconds)
        gate = self.watching.take(start, self.now, out, ENTRY, True) if self.watching.follows else None
        if gate is None:
            self.watching.stop_following()
            if self.now > self.gate:
                self.gate = self.watching.hit(start, self.now, out, ENTRY)
            else:
                hot_path.append_hit(start, self.now, ENTRY)
        return out

    def hand_over(self) -> None:
        self.now += 2e-5

    def wait(self, out: Output) -> None:
        """The caller is woken when the result is there, and goes on once it has a processor."""
        kept = self.late()
        self.until(out.ends)
        if self.sighting is not None and self.sighting.array is out and not self.sighting.asked and self.pushed_back:
            self.looks = math.inf  # until the caller waits for something else
        self.until(out.ends + kept)
        self.had = Account(0, self.had.kept_s + kept, self.had.cpu_s + self.cpu_s, self.had.waits + self.waits_each)

    def sleep(self, seconds: float) -> None:
        self.until(self.now + seconds)
        self.had = self.had._replace(waits=self.had.waits + 1)

    def until(self, when: float) -> None:
        """Let the time go by, and the thread beside look at what it is to look at."""
        if self.sighting is not None and self.looks == math.inf and self.sighting.array.ends < self.now:
            self.saw(self.sighting, kept=self.late(), waits=2)
        while True:
            awaited = [each.until for each in waiter.watching if each.array is not None and each.until < math.inf]
            next_look = min([self.looks if self.sighting is not None else math.inf, *awaited])
            if next_look > when:
                break
            self.now = max(self.now, next_look + (1e-9 if next_look in awaited else 0.0))
            if self.sighting is not None and self.looks <= self.now:
                self.look(self.sighting)
            waiter.drop_outdated(self.now)
        self.now = max(self.now, when)

    def look(self, sighting: Sighting) -> None:
        if not sighting.asked:
            self.saw(sighting, kept=self.now - sighting.array.ends, waits=1)
        elif sighting.array.ends <= self.now:
            self.ended(sighting, self.begun, self.now)
        else:
            self.begun = self.now
            self.looks = self.now + max(sighting.pause_s(self.now), waiter._SHORTEST_SLEEP) + self.late()

    def saw(self, sighting: Sighting, kept: float, waits: int) -> None:
        since = waiter._since_when(sighting, self.now, Account(1, kept, 2e-5, waits))
        self.ended(sighting, max(self.begun, since), self.now)

    def ended(self, sighting: Sighting, before: float, after: float) -> None:
        after = min(after, sighting.peeked)
        sighting.before, sighting.after, sighting.array, self.sighting = min(before, after), after, None, None
        waiter.stop_watching(sighting)
        sighting.ended()
        if self.queue:
            self.begin(self.queue.pop(0))

    def times(self, latest: int) -> tuple[float, np.ndarray[Any, Any]]:
        """Of so many latest calls the share that has a time, and these times over the truth."""
        self.watching.stop_following()
        self.until(self.now + 1.0)
        hot_path.fold()
        observation.judge()
        ratios = self.log.columns.as_numpy()["execute_s"][-latest:] / np.array(self.truth[-latest:])
        return float(np.isfinite(ratios).mean()), ratios[np.isfinite(ratios)]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    yield World(monkeypatch)


Then = Callable[[World], None]
PAUSES: dict[str, Then] = {
    "waits alone": lambda world: None,
    "waits and sleeps": lambda world: world.sleep(0.03),
    "waits and sleeps briefly": lambda world: world.sleep(0.002),
}


@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("caller_first", [0.0, 0.5, 1.0])
def test_most_calls_of_a_caller_that_waits_for_each_have_a_time(world: World, pause: str, caller_first: float) -> None:
    """Whoever is woken first, it or the thread beside it."""
    world.caller_first = caller_first
    for _ in range(300):
        world.wait(world.call(0.005))
        PAUSES[pause](world)
    timed, ratios = world.times(200)
    assert timed > 0.8 or (pause != "waits alone" and caller_first == 1.0)
    assert np.abs(ratios - 1).max() < 0.06


@pytest.mark.parametrize("pause", PAUSES)
def test_a_bad_beginning_does_not_last(world: World, pause: str) -> None:
    """While a machine has much else to do, or its threads give up the processor more often, hardly an end can be told."""
    world.kept, world.waits_each = BUSY, 3
    for _ in range(150):
        world.wait(world.call(0.005))
        PAUSES[pause](world)
    world.kept, world.waits_each = PROMPT, 1
    for _ in range(600):
        world.wait(world.call(0.005))
        PAUSES[pause](world)
    timed, ratios = world.times(200)
    assert timed > 0.8 if pause == "waits alone" else timed > 0.4
    assert np.abs(ratios - 1).max() < 0.06


@pytest.mark.parametrize("waits_each", [1, 2])
def test_executions_that_differ_much_have_their_times_the_long_ones_too(world: World, waits_each: int) -> None:
    """As on a machine that slows some of them down: else the median would be of the short ones."""
    world.waits_each = waits_each
    for _ in range(600):
        world.wait(world.call(0.005 * world.chance.choice([0.8, 1.0, 1.2, 1.7, 2.5])))
    timed, ratios = world.times(400)
    assert timed > 0.8
    assert np.abs(ratios - 1).max() < 0.06
    times = world.log.columns.as_numpy()["execute_s"][-400:]
    assert 0.9 < np.nanmedian(times) / np.median(world.truth[-400:]) < 1.1


@pytest.mark.parametrize("lasts", [1.2, 1.6, 3.0])
def test_a_caller_that_begins_to_sleep_in_place_of_waiting_is_found_out(world: World, lasts: float) -> None:
    for _ in range(100):
        world.wait(world.call(0.02))
    for _ in range(100):
        world.call(0.02)
        world.sleep(0.02 * lasts)
    _, ratios = world.times(100)
    assert (ratios > 1.06).sum() <= (64 if lasts < 1.25 else 0)  # before the waiter has a look nothing tells


def test_what_is_seen_on_a_busy_machine_is_true(world: World) -> None:
    world.kept = BUSY
    for i in range(600):
        world.wait(world.call(0.005 if i % 2 else 0.03))
        if i % 3 == 0:
            world.sleep(0.01)
    _, ratios = world.times(600)
    assert np.abs(ratios - 1).max(initial=0.0) < 0.06


def test_the_memory_of_what_a_caller_has_not_come_back_for_is_held_no_longer_than_it_runs(world: World) -> None:
    for _ in range(100):
        out = world.call(0.02)
        world.wait(out)
    assert isinstance(world.watching._follower, Returning)
    out = world.call(0.1)
    world.until(out.ends - 1e-4)
    assert any(each.array is out for each in waiter.watching)
    world.until(out.ends + 0.01)
    assert not any(each.array is out for each in waiter.watching)


def test_short_calls_are_seen_from_beside_where_too_little_can_be_told_from_their_caller(world: World) -> None:
    """What it does before it waits is a tenth of them; for all that they are looked at as often as others."""
    world.cpu_s, world.kept = 6e-5, (1e-6, 1e-5)
    for _ in range(6000):
        world.wait(world.call(0.0004))
    timed, ratios = world.times(4000)
    assert timed > 0.002
    assert np.abs(ratios - 1).max() < 0.12
