"""How long an execution took, where that could honestly be seen.

An execution begins when its call begins, when its compile ended, or when the device has finished what was handed to it before:
the device works in order, so a call's time is ``done - max(start, done of the call before)``. A call whose predecessors were
not seen to end is `unobserved`, unless what is known of them is too short to matter.
"""

from __future__ import annotations

import math
from statistics import median

from jupyter_jitmagic.recording import hot_path
from jupyter_jitmagic.recording.compiles import spans
from jupyter_jitmagic.recording.executions import sightings
from jupyter_jitmagic.recording.executions.busy_spans import BusySpans, End
from jupyter_jitmagic.recording.executions.links import Ended, seen
from jupyter_jitmagic.recording.executions.running_ahead import ahead, lines
from jupyter_jitmagic.recording.executions.sightings import (
    LATE,
    SAMPLES,
    TOLERANCE,
    WORTH_MANY_S,
    Pace,
    Sighting,
    keep,
    pace_of,
    paces,
    to_judge,
)
from jupyter_jitmagic.recording.hot_path import Detail
from jupyter_jitmagic.records.log import (
    COMPILE,
    GONE,
    HIT,
    INLINED,
    NOT_LOOKED_AT,
    OBSERVED,
    RESTED,
    SEEN_LATE,
    Changed,
    log,
)

_LOOK_BACK = 256
_ends: dict[int, tuple[float, float]] = {}
"""Between which times the latest watched calls ended, by call."""


def judge(goes_on: bool = False) -> None:
    """Write every execution time that holds into the columns. Part of a fold.

    Args:
        goes_on: asked by a loop, whose next calls will tell more of the latest.
    """
    if log.is_changing():
        return
    with log.lock:
        _judge(goes_on)


def judge_some(most: int) -> None:
    """Learn from so many ends of a caller that runs ahead: the device has enough to do for a moment, but not for as long as it
    would take to judge them all. What follows for many spans is left to `judge`."""
    if log.is_changing():
        return
    with log.lock:
        _add_seen(most)


def _judge(goes_on: bool) -> None:
    sightings.unjudged = 0
    judged = _judged
    for link in tuple(seen):  # what came after one of these, and was looked at by itself, began when that had ended
        ended = link.told()
        _keep_end(log.columns.find(ended.start, ended.end), ended)
    while to_judge:  # in the order of the calls: an execution is held against the end of the one before
        _judge_each(sorted([to_judge.popleft() for _ in range(len(to_judge))], key=lambda sighting: sighting.call), judged)
    _add_seen(len(seen))
    _busy.share_out(goes_on)
    changes = dict(judged)
    judged.clear()
    for entry, changed in changes.items():
        record = log.known_entry(entry)
        usual = _usual(pace_of(entry))
        if record is not None and (changed or usual != record.execute_s):
            record.execute_s = usual
            log.listeners.emit(Changed("entries", entry))
        if record is None or not record.alive:
            forget(entry)


def _add_seen(most: int) -> None:
    for _ in range(min(most, len(seen))):
        ended = seen.popleft().told()
        _keep_end(_busy.learn(ended, lines.get), ended)


def _keep_end(call: int | None, seen: Ended | Sighting) -> None:
    """Between which times a call ended that is kept."""
    if call is None:
        return
    _ends[call] = seen.before, seen.after
    if len(_ends) > 2 * _LOOK_BACK:
        for old in list(_ends)[:_LOOK_BACK]:
            del _ends[old]


def _usual(pace: Pace) -> float | None:
    """The median of what is known; the first hit, which may have run beside another compile, stands for no others."""
    if pace.samples or pace.first is None:
        return median(pace.samples) if pace.samples else None
    call, seconds = pace.first
    row = call - log.columns.first
    return seconds if row >= 0 and log.columns.is_last(row) else None


def _judge_each(looked: list[Sighting], judged: dict[int, bool]) -> None:
    """`judged` tells by entry whether something held."""
    for sighting in looked:
        if sighting.judged or sighting.call < log.columns.first:
            continue
        pace = pace_of(sighting.entry)
        sighting.judged = True
        picked = sighting.how == OBSERVED and not sighting.by_caller
        if picked and (sighting.hurried or not sighting.waited_for or not pace.starves):
            lasted = sighting.after - sighting.began
            log.columns.at_most.append((sighting.call, math.inf if math.isnan(lasted) else lasted))
        if math.isnan(sighting.after):
            log.columns.refuse(sighting.call, sighting.call, GONE)
            continue
        pace.expected_s = sighting.after - sighting.start
        if sighting.waited_for:
            pace.saw_end(sighting)
        judged.setdefault(sighting.entry, False)
        seconds, why = _execution_of(sighting, pace)
        pace.hurried += sighting.hurried
        if sighting.hurried and not sighting.by_the_clock and not sighting.cold:
            pace.told.append(seconds is not None)
        _keep_end(sighting.call, sighting)
        if sighting.entry in lines:
            _busy.begin(End(sighting.call, sighting.before, sighting.after), lines[sighting.entry])
        if seconds is None or (sighting.hurried and not pace.is_mostly_told):
            pace.fruitless += picked and not sighting.hurried
            log.columns.refuse(sighting.call, sighting.call, why)
            continue
        pace.fruitless = 0
        row = sighting.call - log.columns.first
        log.columns.observe(row, seconds, sighting.how)
        if log.columns.outcome(row) != HIT:
            continue
        if not pace.known and log.columns.follows_no_hit(row):
            pace.first = sighting.call, seconds
        else:
            keep(pace.samples, seconds, SAMPLES)
        judged[sighting.entry] = True


_judged: dict[int, bool] = {}
"""By entry, what came of this round."""


def _found_mean(entry: int, seconds: float, calls: int) -> None:
    pace = pace_of(entry)
    pace.add(seconds)
    pace.fruitless = 0
    pace.samples.extend([seconds] * min(calls, SAMPLES))
    del pace.samples[:-SAMPLES]
    _judged[entry] = True


def _at_most(entry: int) -> float | None:
    """How long lay between a call of it and its result the last time, or twice as long as its executions seem to take."""
    pace = pace_of(entry)
    return None if pace.expected_s is None else max(pace.expected_s, 2 * (pace.seconds or 0.0))


_busy = BusySpans(TOLERANCE, lambda entry: pace_of(entry).seconds, _found_mean, _at_most)


def _execution_of(sighting: Sighting, pace: Pace) -> tuple[float | None, int]:
    """How long it took, or why that is not known."""
    if not sighting.at_return and spans.anything_compiled(sighting.start, sighting.after):
        return None, COMPILE  # whoever looked may have been kept from it by that
    free = _device_free(sighting.call)
    pace.ahead = free is None or free[1] > sighting.start
    if free is None or sighting.by_the_clock:
        return None, RESTED if free is None else NOT_LOOKED_AT
    earliest, latest, uncertain = free
    begin = max(sighting.began, earliest), max(sighting.start, latest)
    seconds = (sighting.before + sighting.after - begin[0] - begin[1]) / 2
    uncertain += sighting.after - sighting.before + begin[1] - begin[0]
    if seconds <= 0 or uncertain > seconds / 2:
        return None, SEEN_LATE  # nothing is known of it, not even roughly: most of it may have been waiting for earlier calls
    if sighting.cold and not pace.ahead and seconds >= WORTH_MANY_S:
        if pace.seconds is None:
            pace.add(seconds)  # too long by a little, but without it no more than cold ones would ever be watched
        return None, NOT_LOOKED_AT
    pace.add(seconds)
    usual = median(pace.rough)
    if sighting.at_return and seconds > LATE * usual:
        return None, SEEN_LATE  # the caller was held up before it could look
    # a call that took unusually long would be let through where all others are refused, and stand for them
    return (seconds if uncertain <= TOLERANCE * min(seconds, usual) else None), SEEN_LATE


def _device_free(call: int) -> tuple[float, float, float] | None:
    """Between which times all that was handed to the device before `call` had ended, and how much longer calls that were not
    watched may have taken; None if it is not known."""
    columns, uncertain = log.columns, 0.0
    for earlier in range(call - 1, max(call - _LOOK_BACK, columns.first) - 1, -1):
        row = earlier - columns.first
        if earlier in _ends:
            return *_ends[earlier], uncertain
        place = columns.place(row)
        if place < 0 or columns.outcome(row) == INLINED:
            continue
        record = log.known_entry(place)
        usual = pace_of(place).seconds if record is None or record.execute_s is None else record.execute_s
        if record is None or usual is None:
            return None
        uncertain += 2 * usual
    return (-math.inf, -math.inf, uncertain) if call - _LOOK_BACK < columns.first else None


def forget(entry: int) -> None:
    paces.pop(entry, None)
    ahead.drop(entry)
    _busy.forget(entry)


def append(start: float, end: float, detail: Detail, sighting: Sighting | None) -> None:
    """A row, and what becomes known of its execution."""
    if sighting is not None:
        follow(detail, sighting)
    hot_path.append(start, end, detail)


def follow(detail: Detail, sighting: Sighting) -> None:
    """What was seen belongs to the row of `detail`."""
    sightings.unjudged += 1
    sighting.entry = detail.place
    with log.lock:
        if detail.call:
            sighting.folded(detail.call)
        else:
            detail.when_known = sighting.folded
