"""Means over spans of calls during which the device did not rest: what holds of a device that is simulated, call by call."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from jupyter_jitmagic.recording.executions import busy_spans
from jupyter_jitmagic.recording.executions.busy_spans import BusySpans, End
from jupyter_jitmagic.records import log as log_module
from jupyter_jitmagic.records.columns import AVERAGED
from jupyter_jitmagic.records.log import MISS, Log

LINE = frozenset(["device 0"])
OTHER = frozenset(["device 1"])


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """A log of its own, so that nothing else is in it."""
    made = log_module.Log()
    monkeypatch.setattr(busy_spans, "log", made)
    yield made


class Device:
    """Works through calls in their order. `python_s` is what the caller takes from call to call, `ahead` how far it may run."""

    def __init__(self, log: Log, python_s: float = 1e-4, ahead: int = 32, sight_s: float = 5e-5) -> None:
        self.log, self.python_s, self.ahead, self.sight_s = log, python_s, ahead, sight_s
        self.now = 0.0
        self.ended: list[float] = []
        self.free = 0.0

    def call(self, entry: int, seconds: float, outcome: int = 0, works: bool = True) -> int:
        start = self.now
        if len(self.ended) >= self.ahead:
            self.now = max(self.now, self.ended[-self.ahead])
        self.now += self.python_s
        self.log.columns.extend((start, self.now, float(entry)))
        row = len(self.log.columns) - 1
        if outcome:
            self.log.columns.change(row, entry, outcome)
        if works:
            self.free = max(self.free, self.now) + seconds
            self.ended.append(self.free)
        return self.log.columns.first + row

    def wait(self) -> None:
        self.now = max(self.now, self.free)

    def end(self, call: int, at: float | None = None) -> End:
        when = self.free if at is None else at
        return End(call, when, when + self.sight_s)


def spans() -> tuple[BusySpans, dict[int, list[tuple[float, int]]]]:
    means: dict[int, list[tuple[float, int]]] = {}
    made = BusySpans(0.1, lambda entry: None, lambda entry, mean, calls: means.setdefault(entry, []).append((mean, calls)))
    return made, means


def run(device: Device, busy: BusySpans, calls: Sequence[tuple[int, float]], every: int = 31) -> None:
    """These calls, every so many-th of which is seen to end."""
    for i, (entry, seconds) in enumerate(calls):
        number = device.call(entry, seconds)
        if i % every == 0 or i == len(calls) - 1:
            busy.add(device.end(number), LINE, lambda entry: LINE)


def test_calls_alike_that_never_wait_have_the_devices_own_time(log: Log) -> None:
    busy, means = spans()
    run(Device(log), busy, [(7, 0.005)] * 200)
    rows = log.columns.as_numpy()
    timed = rows["execute_how"] == AVERAGED
    assert timed.sum() >= 190
    np.testing.assert_allclose(rows["execute_s"][timed], 0.005, rtol=0.02)
    assert sum(calls for _, calls in means[7]) == timed.sum()
    over = log.columns.averaged_over(rows["call"], rows["place"])
    assert set(over[timed].tolist()) <= {31, 13} and not over[~timed].any()


def test_a_span_does_not_begin_with_a_call_that_is_no_longer_recorded(log: Log) -> None:
    """After `jm.reset()`, and where the oldest calls were dropped: the latest span's own beginning is gone with them."""
    busy, _ = spans()
    device = Device(log)
    run(device, busy, [(7, 0.005)] * 200)
    for _ in range(40_000):  # more than a page of the log, of which no end is seen
        device.call(7, 0.005)
    log.columns.drop_oldest(len(log.columns))
    run(device, busy, [(7, 0.005)] * 40, every=10)
    rows = log.columns.as_numpy()
    timed = rows["execute_how"] == AVERAGED
    assert len(rows["place"]) == 40 and timed.any()
    np.testing.assert_allclose(rows["execute_s"][timed], 0.005, rtol=0.02)


def test_a_caller_that_is_slower_than_the_device_has_no_averages(log: Log) -> None:
    busy, means = spans()
    run(Device(log, python_s=0.004), busy, [(7, 0.001)] * 200)
    assert means == {}


def read_each_tenth(device: Device, busy: BusySpans, calls: int, back_s: float, width_s: float = 0.0) -> None:
    """A caller that waits for each tenth result and is back a moment later, the last before each eighth rest being seen to end,
    somewhere within `width_s`. Of two rounds one takes a third longer."""
    chance = random.Random(0)
    for i in range(calls):
        number = device.call(7, 0.0004 * (1.15 if i // 10 % 2 else 0.85))
        if i % 10 == 9:
            device.wait()
            if i // 10 % 8 == 0:
                early = chance.uniform(device.sight_s, device.sight_s + width_s)
                after = device.free + min(device.sight_s + width_s - early, back_s / 2)
                busy.add(End(number, device.free - early, after), LINE, lambda entry: LINE)
            device.now += back_s


def test_rounds_between_short_rests_have_a_mean_though_some_take_longer_than_others(log: Log) -> None:
    busy, means = spans()
    read_each_tenth(Device(log, python_s=5e-5), busy, 800, back_s=1e-4)
    rows = log.columns.as_numpy()
    assert (rows["execute_how"] == AVERAGED).sum() >= 700
    assert all(abs(mean / 0.0004 - 1) < 0.03 for mean, _ in means[7])


def test_rests_that_are_seen_roughly_tell_together_how_long_one_is(log: Log) -> None:
    """Each by itself would leave a tenth of a span uncertain: none could be told by its own."""
    busy, means = spans()
    read_each_tenth(Device(log, python_s=5e-5), busy, 2400, back_s=1e-4, width_s=5e-4)
    assert (log.columns.as_numpy()["execute_how"] == AVERAGED).sum() >= 0.8 * 2400
    assert all(abs(mean / 0.0004 - 1) < 0.05 for mean, _ in means[7])


def test_what_rests_tell_together_is_as_sure_as_they_are_many_and_alike() -> None:
    rough = [busy_spans.Rest(0.0, 4e-4)] * 8
    least, most = busy_spans.usual_rest(rough) or (math.nan, math.nan)
    assert 1e-4 < least < 2e-4 < most < 3e-4
    assert busy_spans.usual_rest(rough[:3]) is None
    differing = busy_spans.usual_rest([busy_spans.Rest(1e-4, 1e-4), busy_spans.Rest(9e-4, 9e-4)] * 4)
    assert differing is not None and differing.most - differing.least > 4e-4


@pytest.mark.parametrize(("python_s", "back_s"), [(6e-4, 1e-4), (5e-5, 2e-3)])
def test_rounds_in_or_between_which_the_device_waits_for_python_have_none(log: Log, python_s: float, back_s: float) -> None:
    busy, means = spans()
    read_each_tenth(Device(log, python_s=python_s), busy, 800, back_s=back_s)
    assert means == {}


def test_a_rest_in_the_middle_breaks_a_span_and_one_before_its_first_call_does_not(log: Log) -> None:
    busy, means = spans()
    device = Device(log)
    first = device.call(7, 0.005)
    busy.add(device.end(first), LINE, lambda entry: LINE)
    for _ in range(10):
        device.call(7, 0.005)
    device.wait()
    device.now += 0.1
    last = [device.call(7, 0.005) for _ in range(10)][-1]
    busy.add(device.end(last), LINE, lambda entry: LINE)
    assert means == {}
    device.wait()
    device.now += 0.5
    last = [device.call(7, 0.005) for _ in range(10)][-1]
    busy.add(device.end(last), LINE, lambda entry: LINE)
    ((mean, calls),) = means[7]
    assert calls == 10 and mean == pytest.approx(0.005, rel=0.03)


@pytest.mark.parametrize("after", [1, 2, 4, 8])
def test_a_long_call_after_a_pause_does_not_make_the_pause_a_part_of_the_others(log: Log, after: int) -> None:
    """Loops of sixty calls, the first of which takes thrice as long as the others. One end is seen in each."""
    busy, means = spans()
    device = Device(log)
    for loop in range(6):
        for i in range(60):
            number = device.call(7, 0.0042 if i == 0 else 0.0014)
            if i == after - 1:
                busy.add(device.end(number)._replace(is_large=True), LINE, lambda entry: LINE)
        device.wait()
        device.now += 0.02 * (loop + 1)
    assert all(mean == pytest.approx(0.0014, rel=0.15) for mean, _ in means.get(7, ()))


@pytest.mark.parametrize("seen", [60, 58])
def test_a_pause_after_an_end_that_was_seen_late_is_no_part_of_a_span(log: Log, seen: int) -> None:
    """That end is no place where a span begins. Of a later one it tells that the device had next to nothing left to do."""
    busy, means = spans()
    device = Device(log)
    for _ in range(6):
        for i in range(1, 61):
            number = device.call(7, 0.0042 if i == 1 else 0.0014)
            if i in (1, seen):
                late = 0.0 if i == 1 else 0.01
                busy.add(device.end(number)._replace(before=device.free - late), LINE, lambda entry: LINE)
        device.wait()
        device.now += 0.1
    assert all(mean == pytest.approx(0.0014, rel=0.15) for mean, _ in means.get(7, ()))


def test_a_pause_of_a_caller_that_is_far_ahead_is_no_rest_of_the_device(log: Log) -> None:
    busy, means = spans()
    device = Device(log)
    for i in range(129):
        if i % 32 == 8:
            device.now += 0.02
        number = device.call(7, 0.005)
        if i % 32 == 0:
            busy.add(device.end(number)._replace(is_large=True), LINE, lambda entry: LINE)
    assert [calls for _, calls in means[7]] == [32] * 4
    assert all(mean == pytest.approx(0.005, rel=0.02) for mean, _ in means[7])


@pytest.mark.parametrize("between", ["a miss", "an error"])
def test_what_the_device_did_not_do_alike_breaks_a_span(log: Log, between: str) -> None:
    busy, means = spans()
    device = Device(log)
    busy.add(device.end(device.call(7, 0.005)), LINE, lambda entry: LINE)
    for i in range(20):
        if i == 10 and between == "a miss":
            device.call(7, 0.3, outcome=MISS)
        elif i == 10:
            device.call(-8, 0.0, outcome=4, works=False)
        last = device.call(7, 0.005)
    busy.add(device.end(last), LINE, lambda entry: LINE)
    assert means == {}


def test_calls_of_another_device_are_not_counted_and_unknown_ones_break_a_span_where_there_are_several(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(busy_spans.jax, "devices", lambda: [0, 1])
    for lines, known in (({7: LINE, 9: OTHER}, True), ({7: LINE}, False)):
        busy, means = spans()
        device = Device(log)
        for i in range(63):
            number = device.call(7, 0.005)
            if i % 31 == 0:
                busy.add(device.end(number), LINE, lines.get)
            device.call(9, 0.0, works=False)
        assert bool(means) is known
        if known:
            assert [round(mean, 4) for mean, _ in means[7]] == [0.005, 0.005]


def test_entries_by_turns_are_solved_for_where_the_spans_determine_them(log: Log) -> None:
    chance = random.Random(0)
    busy, means = spans()
    times = {1: 0.006, 2: 0.003, 3: 0.0045}
    device = Device(log, sight_s=1e-4)
    waited = 0
    for i in range(600):
        entry = 1 + i % 3
        number = device.call(entry, times[entry] * chance.uniform(0.98, 1.02))
        if i >= waited:
            busy.add(device.end(number), LINE, lambda entry: LINE)
            waited = i + (1 if chance.random() < 0.5 else chance.choice([30, 31, 32]))
    busy.share_out()
    assert set(means) == {1, 2, 3}
    for entry, found in means.items():
        assert all(mean == pytest.approx(times[entry], rel=0.1) for mean, _ in found)
    assert (log.columns.as_numpy()["execute_how"] == AVERAGED).mean() > 0.7


def test_entries_always_in_the_same_numbers_stay_unknown(log: Log) -> None:
    busy, means = spans()
    run(Device(log), busy, [(1 + i % 2, 0.002 + 0.004 * (i % 2)) for i in range(641)], every=32)
    assert means == {}


def test_an_end_that_was_seen_too_late_waits_for_a_longer_span(log: Log) -> None:
    busy, means = spans()
    run(Device(log, sight_s=0.005), busy, [(7, 0.0005)] * 1000)
    assert means and means[7][0][1] >= 180
    assert log.columns.averaged_over(*(log.columns.as_numpy()[name] for name in ("call", "place"))).max() <= 2 * means[7][0][1]
    assert all(mean == pytest.approx(0.0005, rel=0.06) for mean, _ in means[7])


def test_a_call_is_found_by_its_times_where_threads_append_a_little_late(log: Log) -> None:
    rows = [(float(i), i + 0.5, 7.0) for i in range(100)]
    rows[40], rows[45] = rows[45], rows[40]
    for row in rows:
        log.columns.extend(row)
    assert [log.columns.find(*row[:2]) for row in rows] == list(range(1, 101))
    assert log.columns.find(3.0, 3.25) is None


def test_a_span_is_not_given_to_an_entry_of_which_nothing_is_known(log: Log) -> None:
    """Not even where next to nothing is (falsely) known to be the others' part."""
    means: dict[int, list[float]] = {}
    roughly = {1: 1e-6}
    for known in ({}, {2: 0.002}):
        busy = BusySpans(0.1, {**roughly, **known}.get, lambda entry, mean, calls: means.setdefault(entry, []).append(mean))
        run(Device(log), busy, [(2 if i % 11 == 10 else 1, 0.002 if i % 11 == 10 else 0.006) for i in range(330)], every=33)
        busy.share_out()
    assert means == {}


@pytest.mark.parametrize(("most_s", "told"), [(0.003, True), (0.1, False), (None, False)])
def test_all_but_a_little_of_a_span_is_given_to_its_entry_though_the_rest_is_hardly_known(
    log: Log, most_s: float | None, told: bool
) -> None:
    """A validation step each hundredth time: how long it may take at most tells what the others took, and where it does not
    nothing is said; of the validation itself in no case."""
    means: dict[int, list[float]] = {}
    known = {} if most_s is None else {2: most_s}
    busy = BusySpans(0.1, lambda entry: None, lambda entry, mean, calls: means.setdefault(entry, []).append(mean), known.get)
    run(Device(log), busy, [(2 if i % 101 == 50 else 1, 0.001) for i in range(606)], every=101)
    busy.share_out()
    assert means.keys() == ({1} if told else set())
    assert all(abs(mean / 0.001 - 1) < 0.05 for mean in means.get(1, []))
    timed = log.columns.as_numpy()["execute_how"] == AVERAGED
    assert timed.sum() == (599 if told else 0)


def test_a_rare_call_that_lasts_longer_than_ever_is_no_part_of_the_others_mean(log: Log) -> None:
    """One of five validation steps takes a hundred times as long: its span is told of neither."""
    means: dict[int, list[float]] = {}
    told = lambda entry, mean, calls: means.setdefault(entry, []).append(mean)  # noqa: E731
    found = BusySpans(0.1, lambda entry: None, told, {2: 0.003}.get)
    calls = [(2 if i % 101 == 50 else 1, 0.1 if i == 3 * 101 + 50 else 0.001) for i in range(606)]
    device = Device(log)
    for i, (entry, seconds) in enumerate(calls):
        number = device.call(entry, seconds)
        if i % 101 == 0 or i == len(calls) - 1:
            found.add(device.end(number), LINE, lambda entry: LINE)
            found.share_out()
    assert len(means[1]) >= 4 and all(abs(mean / 0.001 - 1) < 0.05 for mean in means[1])


@pytest.mark.parametrize("pause_s", [0.0, 0.05, 0.6])
def test_what_the_device_did_in_a_long_pause_is_no_part_of_a_mean(log: Log, pause_s: float) -> None:
    """A caller that is about as quick as its device, away for long once: another cell may have run meanwhile, which nobody
    recorded. Before and after, the device rests a little now and then, and a pause is not taken for one of these rests."""
    busy, means = spans()
    device = Device(log, python_s=1e-5)
    for i in range(70):
        number = device.call(7, 0.001)
        if i == 4:
            device.wait()
            busy.add(device.end(number), LINE, lambda entry: LINE)
        device.now += 0.00095 + (pause_s if i == 60 else 0.0)
    busy.add(device.end(number), LINE, lambda entry: LINE)
    assert all(0.0009 < mean < 0.0012 for mean, _ in means.get(7, ()))
    assert means or pause_s
