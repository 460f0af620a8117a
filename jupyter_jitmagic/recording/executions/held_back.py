"""Callers that are as far ahead as JAX lets them: from then on each of their calls returns when one of before ends.

JAX's CPU client takes 32 calls at a time and holds their caller back until there is room for one more. So where a call returns
and one of before has just ended, this one alone, it ended then: JAX says of an output that it is there before it lets the
caller go on. And where the return before told the end of the call before that, both together tell how long it took. That takes
next to nothing from the caller, where looking from beside lengthens each such call. What else the caller hands over now and
then (an operation of JAX's own) only leaves its neighbours unknown.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from statistics import fmean, median
from typing import Any, NamedTuple, Protocol

from jupyter_jitmagic.base.arrays import is_ready

RETURNS_WITHIN_S = 2e-4
"""So soon after the end that it was waiting for a call returns."""
_HELD, _WAITED = 0.5, 2.0
"""A caller that is held back was in its call for so much of the time since the one before, at least, and so many times as long
as a call takes otherwise."""
_AWAY, _AWAY_S = 0.1, 2e-4
"""Else it was somewhere else for longer than such a share of that time, and so long: perhaps in an operation of JAX's own."""
_UNKNOWN = -1
_HOLDS, _MOST_AGREED = 2, 4
_AHEAD = 4
"""Nobody is held back who is ahead by less: one that is slower than the device finds that it has just done each call."""
_MOST = 0.75
"""Of fewer of an entry's calls it would be the long ones that are told, and these would stand for the others."""
_SOME = 0.4
"""Where so many are told there may be enough the next time: on a busy machine two calls may have ended by one return."""
_ODD, _SIGMAS = 1.7, 2.0
_IN_VAIN, _MOST_HELD = 6, 40
_APART, _LONGEST = 8, 4096
"""So many calls are told of together, at least and at most."""


class Call(Protocol):
    """One of a line's calls: an output, its entry and its number."""

    @property
    def array(self) -> Any: ...
    @property
    def entry(self) -> int: ...
    @property
    def number(self) -> int: ...


class Told(NamedTuple):
    """Calls of a line one after the other: of each its entry and how long it took, NaN where that is not known, give or take
    half of `uncertain_s`."""

    entries: list[int]
    seconds: list[float]
    uncertain_s: float


class HeldBack:
    """Of one line."""

    def __init__(self) -> None:
        self.tells = False
        """Returns tell of all entries that came of late."""
        self.ended = _UNKNOWN
        """Which call ended when the latest returned."""
        self._ahead = self._agreed = 0
        """How many calls ahead their caller usually is when it is held back, and how often that was seen of late."""
        self.shortest_s = math.inf
        """How long a call takes whose caller is not held back."""
        self._running: deque[Call] = deque()
        """Those that had not ended when the latest returned."""
        self._entries: list[int] = []
        self._seconds: list[float] = []
        """Those that have ended, and how long they took."""

    @property
    def holds(self) -> bool:
        return self._agreed >= _HOLDS and self._ahead >= _AHEAD

    def took(self, dispatch_s: float) -> None:
        """A call has returned so long after it was made."""
        if dispatch_s < self.shortest_s:
            self.shortest_s = dispatch_s

    def returned(self, number: int, dispatch_s: float, since_s: float) -> None:
        """This call has just returned, so long after it was made and after the one before returned."""
        running, count, before = self._running, 0, self.ended
        self.ended = _UNKNOWN
        while running and (ready := is_ready(running[0].array)) is not False:
            last, count = running.popleft(), count + 1
            self._entries.append(last.entry)
            self._seconds.append(math.nan)
        if count != 1 or ready is None or dispatch_s < max(_HELD * since_s, _WAITED * self.shortest_s):
            return
        ahead = number - last.number
        self._agreed = min(self._agreed + 1, _MOST_AGREED) if ahead == self._ahead else self._agreed - 1
        if self._agreed <= 0:
            self._ahead, self._agreed = ahead, 1
        if ahead == self._ahead and ahead >= _AHEAD:
            self.ended = last.number
            if before == last.number - 1 and since_s - dispatch_s <= _AWAY * since_s + _AWAY_S:
                self._seconds[-1] = since_s

    def made(self, call: Call) -> None:
        """It runs from now on, and an output of it is held until then."""
        if self._running and (self._running[-1].number != call.number - 1 or len(self._running) >= _MOST_HELD):
            self.forget()
        self._running.append(call)

    def ended_by(self, number: int) -> None:
        """Calls up to this one have ended, as somebody else saw."""
        while self._running and self._running[0].number <= number:
            self._entries.append(self._running.popleft().entry)
            self._seconds.append(math.nan)

    def hand_over(self) -> Told | None:
        """What became known since the last time, of calls up to the one that ended when the latest returned."""
        if len(self._entries) < _APART:
            return None
        told = Told(self._entries[-_LONGEST:], self._seconds[-_LONGEST:], _WAITED * self.shortest_s)
        self._entries, self._seconds = [], []
        return told

    def stop(self) -> None:
        """Not each call is told of from now on."""
        self.tells = False
        self.forget()

    def forget(self) -> None:
        """Hold nothing, and begin anew."""
        self._running.clear()
        self._entries, self._seconds, self.ended = [], [], _UNKNOWN


class Returns:
    """What is told of each entry."""

    def __init__(self) -> None:
        self._in_vain: dict[int, int] = {}
        """By entry, how often in a row too little was told: next to nothing counts twice."""

    def learn(self, told: Told) -> list[int]:
        """Of which entries enough is told."""
        known = Counter(entry for entry, seconds in zip(told.entries, told.seconds, strict=True) if not math.isnan(seconds))
        enough = []
        for entry, count in Counter(told.entries).items():
            if known[entry] >= _MOST * count:
                self.forget(entry)
                enough.append(entry)
            else:
                self.refuse([entry], 1 if known[entry] >= _SOME * count else 2)
        return enough

    def refuse(self, entries: list[int], weight: int = 2) -> None:
        """Nothing is told of these."""
        for entry in set(entries):
            in_vain = self._in_vain[entry] = self._in_vain.get(entry, 0) + weight
            if in_vain >= _IN_VAIN:
                untold.add(entry)

    def forget(self, entry: int) -> None:
        self._in_vain.pop(entry, None)
        untold.discard(entry)


def mean_of(seconds: list[float], calls: int, uncertain_s: float, tolerance: float) -> float | None:
    """The mean of `calls` calls of which these are known; None where it may be wrong by more than this share, or some took many
    times as long as most."""
    middle = fmean(seconds)
    error = _SIGMAS * (deviation(seconds) if len(seconds) > 1 else middle) * math.sqrt(1 / len(seconds) - 1 / calls)
    if middle > _ODD * median(seconds) or error + uncertain_s / 2 > tolerance * middle:
        return None
    return middle


def deviation(seconds: list[float]) -> float:
    """The standard deviation of a sample of two or more. That of `statistics` reckons with fractions, in the caller's time."""
    return math.dist(seconds, [fmean(seconds)] * len(seconds)) / math.sqrt(len(seconds) - 1)


untold: set[int] = set()
"""Entries of which returns do not tell how long their calls take."""
