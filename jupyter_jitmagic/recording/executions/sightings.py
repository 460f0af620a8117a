"""What is seen of one call, and what is known of its entry's executions: so how often, and in which way, they are looked at."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from time import perf_counter
from typing import Any

from jupyter_jitmagic.base.arrays import is_ready
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.recording.executions.scheduling import account
from jupyter_jitmagic.recording.executions.waiter import Beginning, OutputWatch, another_output, smallest_output, waiter
from jupyter_jitmagic.records.log import BLOCKED, OBSERVED

TOLERANCE = 0.1
"""Begin and end of an execution may together be uncertain by at most this share of its time; the middle is shown."""

SAMPLES = 999
_ROUGH_SAMPLES = 25
LATE = 1.5
"""Of what lasted so many times as long as usual, the caller may have been kept from seeing the end, or waited for more."""
_AHEAD = 0.75
"""A caller that comes back before so much of an execution's time has passed did not wait for it. A later one may have: for
another output, which can be there a moment before the one that is looked at."""
_AT_ONCE_S = 2e-5
WORTH_EACH_S = 1e-3
"""Executions of at least this long are watched one by one; shorter ones are sampled."""
_WORTH_EACH_AHEAD_S = 5e-3
"""The same in a loop that runs ahead of the device, which any work beside it slows down."""
WORTH_MANY_S = 2e-4
_ENOUGH = 16
_LONGEST_PAUSE, _LONGEST_AHEAD = 5, 2
"""So often a pause is doubled at most; where the device was at work when the last call came, its caller may run ahead again."""
_FEW = 24
_MOST_TRIES = 40
RETURNS = 3
"""After so many calls that had ended just before the next began the caller is taken to wait for each."""
_PAIR = 2
_JUDGE_AFTER = 32
_JUDGE_BESIDE_S = 5e-3
"""While an execution of at least this long runs there is time to judge others."""
_ASK_FROM_S = 4e-3
"""A thread that computes lets others look every 5 ms: executions of which this is a small part can be asked meanwhile."""
_COMPUTES, _MOSTLY = 3, 0.75
_IN_VAIN = 3
"""After so many in a row whose ends were not seen well enough the other way to see them is tried."""
_DOUBTS, _MOST_DOUBTS = 32, 4096
"""After so many looks a caller is tried again from which too little could be told, at first and at last."""
_JUDGED_BY, _TELLS = 16, 0.9
"""By so many calls it is judged whether enough can be told. Less can with ``float(loss)``, which may give up the processor
twice."""

to_judge: deque[Sighting] = deque()
unjudged = 0
"""How many calls were looked at since it was worked out what follows."""


class Pace:
    """What is known of one entry's executions, and so how often to look at them."""

    __slots__ = (
        "ahead", "asked_caller", "asks", "beginning", "computed", "doubts", "expected_s", "first", "fruitless", "hurried",
        "in_vain", "latest", "overtaken", "returned", "returns_from", "rough", "samples", "seconds", "told", "told_caller",
        "tries", "watched",
    )  # fmt: skip

    def __init__(self) -> None:
        self.samples: list[float] = []
        """How long its latest calls took, without the first after a compile."""
        self.first: tuple[int, float] | None = None
        """That one's number, and how long it took."""
        self.rough: list[float] = []
        """The same, those included that could not be told well enough."""
        self.seconds: float | None = None
        """Roughly how long its executions take, without waiting for earlier calls; None before one was seen to end."""
        self.expected_s: float | None = None
        """How long it was, the last time, from the call to its result, waiting for earlier calls included."""
        self.ahead = False
        """The latest began while the device was still at work, as in a loop that runs ahead of it."""
        self.overtaken = 0
        """How many watched calls in a row had not ended when the caller made the next."""
        self.tries = 0
        """How many calls were looked at while few were known."""
        self.watched = 0
        self.fruitless = 0
        """How many watched calls in a row could not be told well enough."""
        self.asks = False
        """Ends of its executions are asked for, and not waited for."""
        self.in_vain = 0
        """How many ends in a row were not seen well enough in this way."""
        self.latest: Sighting | None = None
        self.beginning: Beginning | None = None
        """Of the call after the latest watched one, whose result was there when it returned."""
        self.returned = 0
        """How many watched calls in a row had ended just before the caller made the next: it waits for them itself."""
        self.returns_from = 0
        """From which try on it may be: before, too little could be told from it."""
        self.computed = 0
        """How many watched calls in a row had ended by the next, nobody could see when, and their caller had computed."""
        self.hurried = 0
        """For how many the GIL was asked."""
        self.told: deque[bool] = deque(maxlen=_FEW)
        """Of those for which the GIL was asked whether it could be told how long they took."""
        self.doubts = _DOUBTS
        self.asked_caller = self.told_caller = 0
        """From how many calls it was to be told of late, and from how many it could be."""

    @property
    def known(self) -> bool:
        """Whether enough executions were told to go by."""
        return len(self.samples) >= _FEW

    @property
    def starves(self) -> bool:
        """Whether who looks from beside has to ask for the GIL soon: its caller computes from call to call."""
        return self.computed >= _COMPUTES

    @property
    def is_mostly_told(self) -> bool:
        """Whether that could be told of most: of some it would be the long ones, and these would stand for the others."""
        return len(self.told) >= _PAIR and sum(self.told) >= _MOSTLY * len(self.told)

    @property
    def each(self) -> bool:
        """Whether every call is to be watched."""
        if self.starves:
            return False
        if not self.known and self.tries < _MOST_TRIES:
            return True
        lasts_s = self.expected_s if self.seconds is None else self.seconds  # a busy machine may have shown no more so far
        return lasts_s is not None and lasts_s >= (_WORTH_EACH_AHEAD_S if self.ahead else WORTH_EACH_S)

    @property
    def in_a_row(self) -> int:
        """How many calls are watched one after the other: two, the second's begin being the first's end, or more where the
        second is so long that its time is worth knowing well."""
        return 5 if (self.seconds or 0.0) >= WORTH_MANY_S and not self.ahead else _PAIR

    def pause_s(self) -> float:
        """How long to wait before a call is watched again: longer where much is known or nothing comes of it, as in a loop
        that runs ahead of the device."""
        known = self.watched // _ENOUGH if (self.seconds or 0.0) < WORTH_MANY_S else 0
        doublings = min(known + self.fruitless // self.in_a_row, _LONGEST_AHEAD if self.ahead else _LONGEST_PAUSE)
        if self.starves and self.hurried < 2 * _FEW:
            doublings = 0
        return options.watch_every_s * self.in_a_row / 2 * float(2**doublings)

    @property
    def short(self) -> bool:
        """Whether judging what was seen would take longer than an execution has."""
        return self.seconds is not None and self.seconds < _JUDGE_BESIDE_S

    @property
    def returns(self) -> bool:
        """Whether the caller waits for each execution itself."""
        return self.returned >= RETURNS and self.tries >= self.returns_from and not self.computed

    def told_from_caller(self, told: int, calls: int) -> None:
        """From a caller that waits for each it could be told of so many of its calls how long they took. Where that is little
        more is seen from beside, and it is tried again later: the machine may be less busy then."""
        self.asked_caller += calls
        self.told_caller += told
        if self.asked_caller < _JUDGED_BY:
            return
        if self.told_caller >= _TELLS * self.asked_caller:
            self.doubts = _DOUBTS
        else:
            self.returns_from = self.tries + self.doubts
            self.doubts = min(2 * self.doubts, _MOST_DOUBTS)
        self.asked_caller = self.told_caller = 0

    def saw_end(self, sighting: Sighting) -> None:
        """An end was looked for from beside: where that is in vain the other way is tried, in turns for as long as it takes. Of
        a caller that waits meanwhile no end is asked for: it tells as much, and asking takes time from the execution."""
        if sighting.caller_waited:
            self.asks, self.in_vain = False, 0
            return
        if sighting.asked != self.asks:
            return
        self.in_vain = 0 if sighting.is_narrow else self.in_vain + 1
        if self.in_vain >= _IN_VAIN:
            self.asks, self.in_vain = not self.asks and (self.expected_s or 0.0) >= _ASK_FROM_S, 0

    def note_next(self, start: float, end: float) -> None:
        """The call after the latest watched one began at `start` and has just returned, at `end`."""
        latest = self.latest  # once: another thread may forget it meanwhile
        if latest is not None:
            began, ended = latest.start, latest.seen_s
            if latest.had is not None:
                in_vain = math.isfinite(ended) and (latest.hurried or not latest.is_narrow)
                self.computed = min(self.computed + 1, _COMPUTES) if in_vain and latest.caller_computed() else 0
            if math.isfinite(ended):
                self.overtaken = 0
            elif start - began < _AHEAD * (self.seconds or math.inf) or self._is_held_back(latest, end - start):
                self.overtaken += 1  # or it was deleted by then
            waited = math.isfinite(ended) and not latest.at_return
            at_once = waited and start - ended <= TOLERANCE * (ended - began)
            self.returned = self.returned + 1 if at_once else 0

    def _is_held_back(self, latest: Sighting, lasted_s: float) -> bool:
        """Whether the latest watched call still runs after the next one, which took so long: JAX holds a caller back that is
        far ahead, and it comes no sooner than results do. One that has waited for another output would find this one there."""
        array = latest.array
        return array is not None and lasted_s > (1 - _AHEAD) * (self.seconds or math.inf) and is_ready(array) is False

    def due(self) -> bool:
        """Whether it is time to judge what was seen: soon where little is known, sooner where nothing is after many tries."""
        if self.seconds is None and self.tries >= _MOST_TRIES:
            return unjudged >= _PAIR
        return unjudged >= (_JUDGE_AFTER if self.known else 8)

    def add(self, seconds: float) -> None:
        keep(self.rough, seconds, _ROUGH_SAMPLES)
        self.seconds = median(self.rough)


def keep(values: list[float], value: float, most: int) -> None:
    """Append it to the latest so many, or some more."""
    values.append(value)
    if len(values) > 2 * most:
        del values[:-most]


paces: dict[int, Pace] = {}


def pace_of(entry: int) -> Pace:
    return paces.get(entry) or paces.setdefault(entry, Pace())


class Sighting(OutputWatch):
    """One watched call: between which times its execution began and between which it ended."""

    entry = call = 0
    at_return = False
    """The result was there when the call returned: short programs run inside the call on the CPU."""
    waited_for = False
    """The waiter looked for its end."""
    by_caller = False
    """Its caller waited for it, and nobody looked beside."""
    judged = False
    by_the_clock = False
    """It was picked because it ran when a pause ended, as long ones do more often than short ones: it only tells when the
    device was free for the next."""
    cold = False
    """The first one after it: what watches was not in the processor's cache, which makes it some 50 µs longer."""

    def __init__(self, array: Any, began: float, start: float, how: int = OBSERVED, pace: Pace | None = None) -> None:
        """`began` and `start` are when the call was handed to the device, at the earliest and the latest."""
        expected = pace.expected_s if pace is not None else None
        super().__init__(array, start, expected, asked=pace is not None and (pace.ahead or pace.asks) and not pace.starves)
        self.hurries = pace is not None and pace.starves
        if pace is not None and pace.seconds is not None:
            self.most_s = LATE * pace.seconds
        self.began = began
        self.how = how

    @property
    def caller_waited(self) -> bool:
        """Its caller, back by now, has waited once and hardly computed."""
        if self.had is None or self.had_then is None or self.had.thread != self.had_then.thread:
            return False
        had = self.had.until(self.had_then)
        return had.waits == 1 and had.cpu_s <= TOLERANCE * (self.after - self.start)

    @property
    def is_narrow(self) -> bool:
        """Its end was seen well enough."""
        return self.after - self.before <= TOLERANCE * (self.after - self.start)

    def seen(self, before: float, after: float) -> None:
        """The caller saw the end."""
        self.array = None
        self.before, self.after = before, after

    def ended(self) -> None:
        """The waiter saw it, or never will."""
        self.waited_for = True
        if self.call:
            to_judge.append(self)

    def folded(self, call: int) -> None:
        """Called once the call has its number."""
        self.call = call
        if self.waited_for or not math.isnan(self.after):
            to_judge.append(self)


def watch(out: Any, began: float, start: float, end: float, pace: Pace | None = None) -> Sighting | None:
    """Look at the end of a call that has just returned `out`; None if it cannot or need not be watched now.

    Args:
        began, start: when the call was handed to the device, at the earliest and the latest.
        end: when the call returned.
        pace: of its entry, if that is known already.
    """
    array = smallest_output(out)
    if array is None:
        return None
    sighting = Sighting(array, began, start, OBSERVED, pace)
    ready = is_ready(array)
    if ready is None:
        return None
    if ready:
        looked = perf_counter()
        sighting.at_return = looked - end <= _AT_ONCE_S + TOLERANCE * (end - start)
        beginning = pace.beginning if pace is not None else None
        stood_s = math.nan if beginning is None else beginning.stood_still_s()
        if sighting.at_return and not math.isnan(stood_s):
            sighting.seen(max(start, end - stood_s), end)
        else:  # other threads had their turn before this one could look or return: it may have ended in between
            sighting.seen(start, looked)
        return sighting
    sighting.had = account()
    if array is not out:
        sighting.beside(another_output(out, array))
    return sighting if waiter.watch(sighting) else None


def blocked(began: float, start: float, end: float) -> Sighting:
    """A call whose caller waited for its end."""
    sighting = Sighting(None, began, start, BLOCKED)
    sighting.seen(end, end)
    return sighting
