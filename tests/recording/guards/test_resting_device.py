"""A loop in which the device waits for Python is told of where that is known, and only there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_jitmagic.recording.guards import resting_device
from jupyter_jitmagic.recording.guards.resting_device import rest_since
from jupyter_jitmagic.records import log as log_module
from jupyter_jitmagic.records.log import MISS, OBSERVED, EntryRecord, Log, OtherRecord


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    made = log_module.Log()
    made.add_entry(EntryRecord(id=7, function=3, avals="f32[3]"))
    monkeypatch.setattr(resting_device, "log", made)
    yield made


def calls(log: Log, count: int, apart_s: float, execute_s: float | None, begin: float = 0.0) -> None:
    for i in range(count):
        start = begin + i * apart_s
        log.columns.extend((start, start + apart_s / 10, 7.0))
        if execute_s is not None:
            log.columns.observe(len(log.columns) - 1, execute_s, OBSERVED)


def test_a_loop_bound_by_python_is_told_with_its_times(log: Log) -> None:
    calls(log, 1000, 0.004, 0.001)
    rest = rest_since(0.0)
    assert rest is not None and rest.function == 3
    assert rest.share == pytest.approx(0.75) and rest.lost_s == pytest.approx(3.0, rel=0.01)
    assert (rest.each_s, rest.execute_s) == pytest.approx((0.004, 0.001))


def test_a_pause_between_two_loops_is_no_part_of_them(log: Log) -> None:
    calls(log, 500, 0.001, 0.0009)
    calls(log, 500, 0.001, 0.0009, begin=100.0)
    assert rest_since(0.0) is None


@pytest.mark.parametrize("case", ["busy", "few", "unknown", "a compile", "before", "others"])
def test_nothing_is_told_where_the_device_works_or_that_is_not_known(log: Log, case: str) -> None:
    calls(log, 50 if case == "few" else 1000, 0.004, {"busy": 0.003, "unknown": None}.get(case, 0.001))
    if case == "a compile":
        log.columns.change(900, 7, MISS)
    if case == "others":
        log.others["f", "", ""] = OtherRecord(id=1, function="f", module="mine", call_site="")
    assert rest_since(1e9 if case == "before" else 0.0) is None
