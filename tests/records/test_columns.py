"""The calls as columns: what is asked of many pages at once is what one would find call by call."""

from __future__ import annotations

import random

import pytest

from jupyter_jitmagic.records import columns as columns_module
from jupyter_jitmagic.records.columns import AVERAGED, Columns

HIT, MISS = 0, 1


@pytest.mark.parametrize("seed", range(20))
def test_the_first_hits_after_a_miss_are_told_across_pages_and_dropped_rows(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where pages of nothing but plain hits lie between."""
    chance = random.Random(seed)
    monkeypatch.setattr(columns_module, "_PAGE", 8)
    columns, calls = Columns(), []
    for i in range(200):
        quiet = i // 40 % 2  # stretches without a miss, as a loop has
        place, outcome = chance.randrange(1, 6), HIT if quiet or chance.random() < 0.7 else MISS
        columns.extend((float(i), i + 0.5, float(place)))
        seconds = chance.random() if not quiet and outcome == HIT and chance.random() < 0.6 else None
        if outcome:
            columns.change(len(columns) - 1, place, outcome)
        if seconds is not None:
            columns.observe(len(columns) - 1, seconds, 1)
        calls.append((place, outcome, seconds))
    dropped = chance.choice([0, 3, 11])
    columns.drop_oldest(dropped)
    calls = calls[dropped:]

    latest: dict[int, int] = {}
    expected = []
    for row, (place, outcome, seconds) in enumerate(calls):
        is_first = latest.get(place, HIT) != HIT
        if outcome == HIT:
            assert columns.follows_no_hit(row) is is_first
        assert columns.is_last(row) is all(place != later for later, _, _ in calls[row + 1 :])
        if seconds is not None:
            expected.append((place, seconds, is_first))
        latest[place] = outcome
    places, times, firsts = columns.timed()
    assert list(zip(places.tolist(), times.tolist(), firsts.tolist(), strict=True)) == expected


def test_why_a_call_has_no_time_gives_way_to_a_time_and_takes_none_away() -> None:
    columns = Columns()
    columns.extend(tuple(float(value) for call in range(6) for value in (call, call + 0.5, 1)))
    columns.refuse(1, 4, 2)
    columns.observe(1, 0.25, 1)
    assert columns.average(3, 3, {1: 0.125}, 1) == {1: 1}
    columns.refuse(1, 5, 4)
    columns.refuse(6, 6, 5)
    columns.refuse(2, 2, 5)
    rows = columns.as_numpy()
    assert rows["execute_how"].tolist() == [-4, 1, AVERAGED, -4, -4, -5]
    assert len(columns.timed()[0]) == 2


def test_of_each_entry_the_calls_of_its_own_mean_are_counted() -> None:
    columns = Columns()
    for i in range(6):
        columns.extend((float(i), i + 0.5, float(7 + i % 2)))
    columns.average(1, 6, {7: 0.1}, 40)
    columns.average(1, 6, {8: 0.2}, 3)
    columns.average(1, 6, {7: 0.3}, 5)  # all of its calls have a time by then
    rows = columns.as_numpy()
    assert columns.averaged_over(rows["call"], rows["place"]).tolist() == [40, 3] * 3
    together = Columns()
    together.extend((0.0, 0.5, 7.0))
    together.extend((1.0, 1.5, 8.0))
    together.average(1, 2, {7: 0.1, 8: 0.2}, 9)
    rows = together.as_numpy()
    assert together.averaged_over(rows["call"], rows["place"]).tolist() == [9, 9]
