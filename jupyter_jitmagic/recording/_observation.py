"""How long an execution took, where that could honestly be seen.

An execution begins when its call begins, when its compile ended, or when the device has finished what was handed to it before:
the device works in order, so a call's time is ``done - max(start, done of the call before)``. A call whose predecessors were
not seen to end is `unobserved`, unless what is known of them is too short to matter.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import Any

from jupyter_jitmagic._records import BLOCKED, INLINED, OBSERVED, Changed, log
from jupyter_jitmagic.recording import _hotpath
from jupyter_jitmagic.recording._hotpath import Detail
from jupyter_jitmagic.recording._waiter import Watch, smallest_output, waiter

TOLERANCE = 0.1
"""Begin and end of an execution may together be uncertain by at most this share of its time."""
_NEAR_THE_LATEST = 0.8
"""Where between the two times the end is taken to be: what comes after it (waking up) is shorter than what comes before."""

_LOOK_BACK = 256
_SAMPLES = 999
_ROUGH_SAMPLES = 25
_LATE = 1.5
WORTH_EACH_S = 1e-3
"""Executions of at least this long are watched one by one; shorter ones are sampled."""
_WORTH_MANY_S = 2e-4
_ENOUGH = 16
_LONGEST_PAUSE = 5

_ends: dict[int, tuple[float, float]] = {}
"""Between which times the latest watched calls ended, by call."""

_samples: dict[int, deque[float]] = {}
_rough: dict[int, deque[float]] = {}
"""By entry, how long its latest watched calls took, those included that could not be told well enough."""

_to_judge: deque[Sighting] = deque()
expected: dict[int, float] = {}
"""Roughly how long it is from a call to its result, waiting for earlier calls included, from the last one seen."""
_tries: dict[int, int] = {}
"""By entry, how many calls came while nothing was known of it."""
_MOST_TRIES = 4
_FOLD_AFTER = 16
_unjudged = 0
_fruitless: dict[int, int] = {}
"""By entry, how many watched calls in a row could not be told well enough."""


class Sighting:
    """One watched call: between which times its execution began and between which it ended."""

    __slots__ = ("after", "at_return", "before", "call", "entry", "how", "latest_start", "start")

    def __init__(self, start: float, latest_start: float, how: int = OBSERVED) -> None:
        self.entry = 0
        self.start = start
        self.latest_start = latest_start
        self.how = how
        self.at_return = False
        """The result was there when the call returned: short programs run inside the call on the CPU."""
        self.call = 0
        self.before = self.after = math.nan

    def seen(self, before: float, after: float) -> None:
        """Called by whoever saw the end."""
        self.before, self.after = before, after
        self._expect()
        if self.call:
            _to_judge.append(self)

    def ended(self, watch: Watch) -> None:
        """Called by the waiter."""
        self.seen(watch.before, watch.after)

    def used(self, entry: int) -> None:
        """Called once the entry is known."""
        self.entry = entry
        self._expect()

    def _expect(self) -> None:
        if self.entry and not math.isnan(self.after):
            expected[self.entry] = self.after - self.latest_start

    def folded(self, call: int) -> None:
        """Called once the call has its number."""
        self.call = call
        if not math.isnan(self.after):
            _to_judge.append(self)


def watch(out: Any, entry: int, start: float, latest_start: float, end: float) -> Sighting | None:
    """Look at the end of a call that has just returned `out`; None if it cannot or need not be watched now.

    Args:
        entry: the entry if it is known already, else 0.
        start, latest_start: when the call was handed to the device, at the earliest and the latest.
        end: when the call returned.
    """
    array = smallest_output(out)
    if array is None:
        return None
    sighting = Sighting(start, latest_start)
    if array.is_ready():
        sighting.at_return = True
        sighting.seen(end, end)
        return sighting
    return sighting if waiter.watch(Watch(array, latest_start, expected.get(entry), sighting.ended)) else None


def lasts(entry: int) -> float | None:
    """Roughly how long executions of an entry take, without waiting for earlier calls; None before one was seen to end."""
    seen = _rough.get(entry)
    return median(seen) if seen else None


def worth_each(entry: int) -> bool:
    """Whether every call of an entry is to be watched."""
    seconds = lasts(entry)
    if seconds is None:
        _tries[entry] = _tries.get(entry, 0) + 1
        return _tries[entry] <= _MOST_TRIES
    return seconds >= WORTH_EACH_S


def due(entry: int) -> bool:
    """Whether it is time to judge what was seen: soon for an entry of which nothing is known."""
    return _unjudged >= (_FOLD_AFTER if entry in _rough else 2)


def pause(entry: int, watched: int) -> float:
    """How many times as long as usual to wait before a call is watched again, after `watched` of them: longer where much is
    known or nothing comes of it, as in a loop that runs ahead of the device."""
    known = watched // _ENOUGH if (lasts(entry) or 0.0) < _WORTH_MANY_S else 0
    return float(2 ** min(known + _fruitless.get(entry, 0) // 2, _LONGEST_PAUSE))


def judge() -> None:
    """Write every execution time that holds into the columns. Part of a fold."""
    with log.lock:
        _judge()


def _judge() -> None:
    global _unjudged
    _unjudged = 0
    changed: set[int] = set()
    while _to_judge:
        sighting = _to_judge.popleft()
        if sighting.call < log.columns.first:
            continue
        seconds = _execution_of(sighting)
        _ends[sighting.call] = sighting.before, sighting.after
        if len(_ends) > 2 * _LOOK_BACK:
            for call in list(_ends)[:_LOOK_BACK]:
                del _ends[call]
        if seconds is None:
            _fruitless[sighting.entry] = _fruitless.get(sighting.entry, 0) + 1
            continue
        _fruitless.pop(sighting.entry, None)
        row = sighting.call - log.columns.first
        log.columns.execute_s[row] = seconds
        log.columns.execute_how[row] = sighting.how
        _samples.setdefault(sighting.entry, deque(maxlen=_SAMPLES)).append(seconds)
        changed.add(sighting.entry)
    for entry in changed:
        record = log.known_entry(entry)
        if record is not None:
            record.execute_s = median(_samples[entry])
            log.listeners.emit(Changed("entries", entry))


def _execution_of(sighting: Sighting) -> float | None:
    free = _device_free(sighting.call)
    if free is None:
        return None
    earliest, latest, uncertain = free
    begin = max(sighting.start, earliest), max(sighting.latest_start, latest)
    end = sighting.before + _NEAR_THE_LATEST * (sighting.after - sighting.before)
    seconds = end - (begin[0] + begin[1]) / 2
    uncertain += sighting.after - sighting.before + begin[1] - begin[0]
    if seconds <= 0 or uncertain > seconds / 2:
        return None  # nothing is known of it, not even roughly: most of it may have been waiting for earlier calls
    rough = _rough.setdefault(sighting.entry, deque(maxlen=_ROUGH_SAMPLES))
    rough.append(seconds)
    if sighting.at_return and seconds > _LATE * median(rough):
        return None  # the caller was held up before it could look
    # a call that took unusually long would be let through where all others are refused, and stand for them
    return seconds if uncertain <= TOLERANCE * min(seconds, median(rough)) else None


def _device_free(call: int) -> tuple[float, float, float] | None:
    """Between which times all that was handed to the device before `call` had ended, and how much longer calls that were not
    watched may have taken; None if it is not known."""
    columns, uncertain = log.columns, 0.0
    for earlier in range(call - 1, max(call - _LOOK_BACK, columns.first) - 1, -1):
        row = earlier - columns.first
        if earlier in _ends:
            return *_ends[earlier], uncertain
        place = columns.place(row)
        if place < 0 or columns.outcome[row] == INLINED:
            continue
        record = log.known_entry(place)
        if record is None or record.execute_s is None:
            return None
        uncertain += 2 * record.execute_s
    return (-math.inf, -math.inf, uncertain) if call - _LOOK_BACK < columns.first else None


def forget(entry: int) -> None:
    _samples.pop(entry, None)
    _rough.pop(entry, None)
    expected.pop(entry, None)
    _fruitless.pop(entry, None)
    _tries.pop(entry, None)


def blocked(start: float, latest_start: float, end: float) -> Sighting:
    """A call whose caller waited for its end."""
    sighting = Sighting(start, latest_start, BLOCKED)
    sighting.seen(end, end)
    return sighting


def append(start: float, end: float, detail: Detail, sighting: Sighting | None) -> None:
    """A row, and what becomes known of its execution."""
    global _unjudged
    if sighting is not None:
        _unjudged += 1
        sighting.used(detail.place)
        detail.when_known = sighting.folded
    _hotpath.append(start, end, detail)


log.folders.append(judge)
