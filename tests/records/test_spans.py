"""When calls traced, lowered, compiled and executed: added up by stretches, and as a Chrome trace."""

from __future__ import annotations

import io
import itertools
import json
import math
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.display import chrome_trace
from jupyter_jitmagic.records.log import CellRecord, EntryRecord, FunctionRecord, Log, log
from jupyter_jitmagic.records.spans import LANES, timeline

MISS_S = 4.0


@pytest.fixture
def two() -> Log:
    """A function with one miss of four seconds (1 trace, 1 lower, 2 compile) and four hits, and one with a single hit, all from
    Unix time 100 on; the first executes half a second each time."""
    made = Log()
    for id_, name in ((1, "step"), (2, "decay")):
        made.functions[id_] = made._known_functions[id_] = FunctionRecord(id_, name, "__main__", name, "m.py", 1)
        made.add_entry(EntryRecord(id=10 * id_, function=id_, avals="f32[3]"))
    made.clock_offset = 100.0
    made.columns.extend((0.0, MISS_S, 10.0))
    made.columns.change(0, 10, 1)
    made.columns.phases[1] = (1.0, 1.0, 2.0)
    for place in range(4):
        made.columns.extend((4.0 + place, 4.1 + place, 10.0))
        made.columns.observe(1 + place, 0.5, 1)
    made.columns.extend((8.0, 8.1, 20.0))
    made.cells.append(CellRecord(7, 100.0, 104.0))
    made.cells.append(CellRecord(8, 104.0))
    return made


def test_seconds_of_each_phase_are_in_the_stretches_in_which_they_passed(two: Log) -> None:
    found = timeline(two, 100.0, 108.0, 8)
    step, decay = found.lanes
    assert (step.name, decay.name) == ("step", "decay")
    assert step.phases["trace"] == [1, 0, 0, 0, 0, 0, 0, 0]
    assert step.phases["lower"] == [0, 1, 0, 0, 0, 0, 0, 0]
    assert step.phases["compile"] == [0, 0, 1, 1, 0, 0, 0, 0]
    assert step.phases["execute"] == pytest.approx([0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5])
    assert step.hits == [0, 0, 0, 0, 1, 1, 1, 1] and step.misses == [1, 0, 0, 0, 0, 0, 0, 0]
    assert [cell.number for cell in found.cells] == [7, 8]


def test_a_part_of_it_shows_what_reaches_into_it(two: Log) -> None:
    found = timeline(two, 103.0, 104.5, 3)
    assert found.lanes[0].phases["compile"] == [0.5, 0.5, 0]
    assert found.lanes[0].phases["execute"] == pytest.approx([0, 0, 0.5])
    assert found.whole == (100.0, pytest.approx(108.1))


def test_it_adds_up_as_a_loop_over_all_calls_would() -> None:
    """Random intervals, random edges, against the plain sum of overlaps."""
    from jupyter_jitmagic.records.spans import _per_stretch

    random = np.random.default_rng(0)
    start = random.uniform(-2, 12, 300)
    end = start + random.exponential(1.0, 300)
    edges = np.linspace(0, 10, 17)
    plain = [
        sum(max(0.0, min(e, high) - max(s, low)) for s, e in zip(start, end, strict=True))
        for low, high in itertools.pairwise(edges)
    ]
    assert _per_stretch(start, end, edges) == pytest.approx(plain)


def test_nothing_recorded_is_an_empty_timeline() -> None:
    assert timeline(Log()).lanes == []


def test_of_very_many_functions_the_dearest_have_a_lane_each_and_the_rest_one() -> None:
    made = Log()
    for id_ in range(1, LANES + 11):
        made.functions[id_] = made._known_functions[id_] = FunctionRecord(id_, f"f{id_}", "m", "f", "m.py", 1)
        made.add_entry(EntryRecord(id=id_, function=id_, avals=""))
        made.columns.extend((float(id_), id_ + 0.5, float(id_)))
        made.columns.observe(id_ - 1, id_ / 1000, 1)
    lanes = timeline(made).lanes
    assert len(lanes) == LANES + 1 and lanes[0].name == f"f{LANES + 10}"
    assert (lanes[-1].function, lanes[-1].name, sum(lanes[-1].hits)) == (0, "others", 10)


@pytest.fixture
def real() -> Iterator[None]:
    jm.reset()
    f = jm.jit(lambda x: x * 2, timing="block")
    for size in (3, 3, 5):
        f(jnp.ones(size))
    yield


def traced(of: Log, functions: set[int] | None = None) -> list[dict[str, Any]]:
    file = io.StringIO()
    count = chrome_trace.write(of, functions, lambda name, line: f"line {line}", file)
    events = json.loads(file.getvalue())["traceEvents"]
    assert len(events) == count
    return events  # type: ignore[no-any-return]


def test_a_trace_has_cells_phases_and_causes(two: Log) -> None:
    events = traced(two)
    tracks = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert list(tracks.values()) == ["cells", "step", "step · execute", "decay", "decay · execute"]
    slices = [
        (tracks[event["tid"]], event["name"], 100 + event["ts"] / 1e6, event["dur"] / 1e6)
        for event in events
        if event["ph"] == "X"
    ]
    assert ("cells", "[7]", 100.0, 4.0) in slices and not any(name == "[8]" for _, name, _, _ in slices)
    assert ("step", "step (miss)", 100.0, 4.0) in slices
    assert ("step", "compile", 102.0, 2.0) in slices and ("step", "trace", 100.0, 1.0) in slices
    assert [s for s in slices if s[0] == "step · execute"] == [("step · execute", "execute", 104.0 + n, 0.5) for n in range(4)]
    assert {event["tid"] for event in traced(two, {2}) if "tid" in event} == {1, 2, 3}


def lanes(events: list[dict[str, Any]]) -> dict[str, list[tuple[str, float, float]]]:
    """By track what lies on it, checked: a slice lies within another, or behind it."""
    names = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    found: dict[str, list[tuple[str, float, float]]] = {}
    for event in events:
        if event["ph"] == "X":
            start, length = read_by_perfetto(event["ts"]), read_by_perfetto(event["dur"])
            found.setdefault(names[event["tid"]], []).append((event["name"], start, start + length))
    for track, slices in found.items():
        around: list[float] = []
        for name, start, end in sorted(slices, key=lambda each: (each[1], -each[2])):
            while around and around[-1] <= start:
                around.pop()
            assert not around or end <= around[-1], (track, name)
            around.append(end)
    return found


def test_on_each_track_slices_nest_also_of_threads_and_of_executions_that_waited(two: Log) -> None:
    # a second thread's miss within the first one's time and beyond it, and two executions that were dispatched at once
    two.columns.extend((1.0, 6.0, 10.0))
    row = len(two.columns) - 1
    two.columns.change(row, 10, 1)
    two.columns.phases[two.columns.first + row] = (1.0, 1.0, 3.0)
    for place in range(2):
        two.columns.extend((9.0 + place / 100, 9.001 + place / 100, 10.0))
        two.columns.observe(len(two.columns) - 1, 0.5, 1)
    found = lanes(traced(two))
    assert [name for name, _, _ in found["step (2)"]] == ["step (miss)", "trace", "lower", "compile"]
    (_, _, end), (_, start, _) = found["step · execute"][-2:]
    assert start == end


def read_by_perfetto(number: float) -> int:
    """Nanoseconds, as its reader makes them of the digits (`StringToDouble` in its `json_parser.h`)."""
    whole, _, rest = json.dumps(number).partition(".")
    value = 0.0
    for digit in whole:
        value = value * 10.0 + int(digit)
    if rest:
        fraction, divisor = 0.0, 1.0
        for digit in rest:
            fraction, divisor = fraction * 10.0 + int(digit), divisor * 10.0
        value += fraction / divisor
    return int(value * 1000.0)


def test_every_moment_is_read_to_the_nanosecond() -> None:
    """1.001 µs times 1000 is 1000.9999999999999: cut off there, it would begin within what ends at that moment."""
    assert read_by_perfetto(1001 / 1e3) == 1000
    for moment in (*range(1, 2000), *range(10**12, 10**12 + 1000), *range(10**14, 10**14 + 1000)):
        event = chrome_trace._event(1, chrome_trace._Slice(moment, 2 * moment, "execute", "execute", {}))
        assert (read_by_perfetto(event["ts"]), read_by_perfetto(event["dur"])) == (moment, moment)


def test_letters_that_json_writes_in_two_escapes_are_replaced(two: Log) -> None:
    two.entries[10].arguments = "how='\U0001f600 \ud800 é'"
    (miss,) = [event for event in traced(two, {1}) if event.get("cat") == "miss"]
    assert miss["args"]["arguments"] == "how='\ufffd \ufffd é'"


def test_a_real_trace_nests(real: None) -> None:
    assert lanes(traced(log))


def test_a_real_miss_says_why_and_where(real: None) -> None:
    (miss,) = [event for event in traced(log) if event["args"].get("cause", "").startswith("x is f32[5] now")]
    assert miss["args"]["called at"].startswith("line ") and miss["cat"] == "miss"
    assert all(math.isfinite(event.get("dur", 0.0)) for event in traced(log))


def test_very_many_hits_stand_together(two: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chrome_trace, "MOST_HITS", 2)
    hits = [event for event in traced(two, {1}) if event["ph"] == "X" and event["cat"] == "hit"]
    assert [(hit["name"], hit["args"]["calls"]) for hit in hits] == [("step ×2", 2), ("step ×2", 2)]
