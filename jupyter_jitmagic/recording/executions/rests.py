"""Callers that read each tenth result or so: how many calls there are from one rest of the device to the next, and so which is
the last before it rests. That one's end tells most, as the calls between two rests are all its own. Where another function's
result is what the caller reads, as a validation loss, the last call before that one has its turn as well: the calls from a rest
to its end are all of one entry."""

from __future__ import annotations

import math
import weakref
from collections import deque
from typing import Any, NamedTuple

_OF_LATE = 4
_LOOKED_AT = 3
"""The last call before a rest and so many others just before it are looked at even where all rests are equally far apart."""
_EARLY, _TOO_LATE = 0.75, 0.9
"""Of the time after which these came of late, at least: until then none is looked at, as loops are not much quicker at once;
and what is left of it where they came sooner, and the first of them was missed."""
_BY_THEN = 2
"""That time is so many executions at least: by then their caller is as far ahead as it may be."""
BEGINS = 12
"""A rest after so small a part of the calls that there were from one to the next is of the loop that has just begun."""
_FAR_LONGER = 1.5
"""One stretch that is so many times as long as the others tells nothing of them."""
_ROUNDS, _MOST = 12, 4
"""After so many rounds the next pause is longer by one lap, up to so many laps."""
_FIRST = 4
"""The first call of a loop had something before it if it lasted more times as long as others are thought to, which is rather
less than they do."""
_SELDOM = 32
"""At the beginning of one in so many loops, at most, it is asked whether the line was at work on something else."""


class Begun(NamedTuple):
    """When a line began to work, and through how many calls since then."""

    start: float
    calls: int
    returned: float | None = None
    """When its first call returned; None where it is not certain that the line was at rest."""
    of_one: bool = False
    """The calls since then are all of one entry, and the next is of another."""


class _First(NamedTuple):
    """A call that found its line at rest."""

    number: int
    start: float
    entry: int
    returned: float | None
    """None where it is not certain that the line was at rest."""
    loop: int
    """Which call the loop began with: its second or third may find its line at rest as well."""


class Rests:
    """Of one line. Nothing is held."""

    def __init__(self) -> None:
        self._output: weakref.ref[Any] | None = None
        """Of the call that was noted last."""
        self._number = 0
        self._first: _First | None = None
        """The latest one."""
        self._calls: deque[int] = deque(maxlen=_OF_LATE)
        """How many there were from one such call to the next,"""
        self._alike: deque[int] = deque(maxlen=_OF_LATE)
        """and of these, how many before one of another entry."""
        self._near: deque[float] = deque(maxlen=_OF_LATE)
        """How long it took from the first call to those that are looked at even where all rests are equally far apart."""
        self._row = 0
        """How many of these there were by now; 0 where one of another entry has come."""
        self._of_one = False
        """Those were waited for the last time."""
        self.chosen = False
        """A call since then was taken for the last before a rest."""
        self._begun = 0
        """Which call the latest loop began with that is known of."""
        self._rounds = 0
        """How many rests were found after such a call in this loop."""
        self.other_work_s = 0.0
        """For how long, at most, the line had something else to do when a loop began of late."""
        self._loops_between, self._loops_left = 1, 0
        """From one such question to the next, and until the next,"""
        self._asked_of = -1
        """which is one about loops that begin with a call of this entry."""

    def before(self, number: int) -> Any | None:
        """What tells whether the call before this one has ended."""
        return self._output() if self._output is not None and self._number == number - 1 else None

    def is_gone(self, number: int) -> bool:
        """Whether the call before this one was noted, and nobody holds its output any more: as its caller has left the function
        that loops, perhaps."""
        return self._output is not None and self._number == number - 1 and self._output() is None

    def note(self, array: Any, number: int, entry: int, start: float) -> None:
        """A call that was looked at, which began at `start`."""
        calls = number - self._number
        if self._first is not None and self._is_regular and self._number < self._closely_from <= number:
            self._came_near(start - self._first.start, is_first=calls == 1)
        self._output, self._number = weakref.ref(array), number
        if self._first is None:
            return
        if number == self._first.number:
            self._row = 1
        elif calls > 1 and not (self._is_regular and number < self._first.loop + min(self._calls)):
            self._first = None  # there may have been rests between, at which nobody looked
        elif self._row and entry == self._first.entry:
            self._row += calls
        elif self._row:
            self._alike.append(self._row)
            self._row = 0

    def _came_near(self, after_s: float, is_first: bool) -> None:
        """One of the calls that are looked at in any case came so long after the loop's first."""
        if is_first:
            self._near.append(after_s)
        else:
            self._near = deque((_TOO_LATE * each for each in self._near), _OF_LATE)

    @property
    def calls_since(self) -> int:
        """How many calls there were since the line was found at rest; 0 if that is not known."""
        return 0 if self._first is None else self._number - self._first.number

    @property
    def since(self) -> float:
        """Since when the line has been at work, going by the call that found it at rest; NaN if none is known."""
        return math.nan if self._first is None else self._first.start

    def expect(self, calls: int) -> None:
        """Rests are so far apart, as those that were found before their last calls were sought."""
        if not self._calls and calls:
            self._calls.append(calls)

    def found(self, number: int, times: tuple[float, float], entry: int, certain: bool = True) -> None:
        """This call found its line at rest. Asked before it is noted."""
        loop = number
        if self._first is not None:
            calls = number - self._first.loop
            if BEGINS * calls <= max(self._calls, default=0):
                loop = self._first.loop
            else:
                self._calls.append(calls)
                if not self._is_regular:
                    self._near.clear()  # of a loop with more calls it would be too long
                if self._row:
                    self._alike.append(self._row)
        self._begun = loop
        start, returned = times
        self._first, self._row, self.chosen = _First(number, start, entry, returned if certain else None, loop), 0, False

    def asks_for_other_work(self, entry: int) -> bool:
        """Whether the call that has just found its line at rest is to be waited for: all that is known is that calls have ended
        which were noted, and its caller may have given the device something else meanwhile that it has not waited for. A loop
        of another function begins in another way."""
        if entry != self._asked_of:
            self._asked_of, self._loops_between, self._loops_left = entry, 1, 0
        self._loops_left -= 1
        return self._loops_left < 0

    def first_took(self, least_s: float, most_s: float, each_s: float) -> bool:
        """How long a call lasted that found its line at rest, where most last for `each_s`: whether that had something else to
        do before."""
        is_late = least_s > _FIRST * each_s
        if is_late or most_s <= _FIRST * each_s:
            self.other_work_s = most_s - each_s if is_late else 0.0
        self._loops_between = 1 if self.other_work_s else min(2 * self._loops_between, _SELDOM)
        self._loops_left = self._loops_between - 1
        return is_late

    def laps(self, anew: bool) -> int:
        """Calls are not noted for a while from now on: for how many laps. The longer their loop lasts the more, as the pause is
        then no larger a part of it; `anew`: as at its beginning."""
        self._output = self._first = None
        self._rounds = 1 if anew else self._rounds + 1
        return min(1 + self._rounds // _ROUNDS, _MOST)

    def lets_by(self) -> int:
        """How many calls need not be looked at, as the next rest is far away."""
        return 0 if self._first is None or self.chosen or not self._is_regular else max(self._closely_from - self._number, 0)

    def begins(self, number: int, each_s: float) -> bool:
        """Whether a loop is about to begin with this call, after a pause in which none was noted: it comes as many calls after
        others began as always lay between two of them. Calls take `each_s`; a rest of short loops is seen soon enough."""
        knows = self._first is None and self._is_regular and self._holds_back(each_s) and min(self._calls) == max(self._calls)
        return knows and (number - self._begun) % self._calls[0] == 0

    def _holds_back(self, each_s: float) -> bool:
        """Whether loops are so long that their caller waits for the device before the last calls."""
        return len(self._near) == _OF_LATE and min(self._near) >= _BY_THEN * each_s

    @property
    def _closely_from(self) -> int:
        """Which call of this loop is the first that has to be looked at even where all rests are equally far apart."""
        return self._begun + min(self._calls) - 1 - _LOOKED_AT

    def quiet_until(self, each_s: float) -> float:
        """Until when none of these comes, going by when the first that has to be looked at came of late; -inf if that is not
        known, or they all come at once: their caller is not held back by then, and the last would be missed by a hair. Calls
        take `each_s`."""
        if not self.lets_by() or self._first is None or not self._holds_back(each_s):
            return -math.inf
        return self._first.start + _EARLY * min(self._near)

    @property
    def _most(self) -> int:
        """How many calls there are from one rest to the next, at most. One stretch that was far longer than all others is none
        of these: a loop began behind the end of another."""
        *others, longest = sorted(self._calls)
        return others[-1] if len(others) > 1 and longest > _FAR_LONGER * others[-1] else longest

    @property
    def _is_regular(self) -> bool:
        """All rests were equally far apart of late, but for a loop whose very first call nobody looked at."""
        return len(self._calls) == _OF_LATE and max(self._calls) - min(self._calls) < _LOOKED_AT

    def choose(self, number: int) -> Begun | None:
        """Since when its line has been at work, if this call may be the last before a rest, or by turns the last of the first
        entry: there were no more of late."""
        if self._first is None or self.chosen or not self._calls:
            return None
        calls, most = number - self._first.number + 1, self._most - (self._first.number - self._first.loop)
        alike = max(self._alike, default=most)
        if not self._of_one and self._first.returned is not None and self._row == calls == alike < most:
            self.chosen = self._of_one = True
            return Begun(self._first.start, calls, self._first.returned, of_one=True)
        if calls < most:
            return None
        self.chosen, self._of_one = True, False
        return Begun(self._first.start, calls, self._first.returned)
