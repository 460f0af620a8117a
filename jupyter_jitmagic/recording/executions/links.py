"""The one call of callers that run ahead that is waited for, and who asks when it has ended: a thread, and where its output is
large its caller."""

from __future__ import annotations

import math
import random
from collections import deque
from contextlib import AbstractContextManager
from time import perf_counter
from typing import Any, NamedTuple, Protocol

from jupyter_jitmagic.recording import hot_path
from jupyter_jitmagic.recording.executions.held_back import RETURNS_WITHIN_S, Told
from jupyter_jitmagic.recording.executions.lanes import Call, Line
from jupyter_jitmagic.recording.executions.rests import Begun
from jupyter_jitmagic.recording.executions.waiter import OutputWatch, stop_watching, watching

_FIRST, _STEP = 0.9, 0.03
_FIRST_LAST, _STEP_LAST = 0.65, 0.02
_SURE_LAST, _KNOWN_LAST = 0.7, 0.03
"""A loop's last call ends after this share of the time that loops like it took, at the soonest; from then on no question waits
for more of that time: one that ends sooner than others is to be known as well."""
_FIRST_CLOSELY = 0.6
"""Later than that, calls that are a fifth shorter than most would have ended before they are asked a first time, and how long
they took would be known least."""
_SURE, _SOON = 0.7, 0.25
"""Of many calls this share will have passed before they end; after it no question waits for much of one, as they may take less
than is thought."""
_OFTEN_S = 8e-3
"""So often it is asked at least: it may end long before it is due, where other calls took longer."""
_FIRST_LARGE, COMES = 0.6, 3
"""A caller that has asked for the end of a large output will ask again within so many calls' time."""
_STALE = 4
"""So many times as long as its calls take has passed since an end of a line was seen: it has had a rest."""
_CLOSELY, _CLOSELY_S = 0.15, 1e-4


class Ended(NamedTuple):
    """A call, told by its two times, and between which times its execution ended."""

    start: float
    end: float
    before: float
    after: float
    line: Line
    is_large: bool
    begun: Begun | None
    """Since when its line has been at work, where that is known."""
    told: Told | None = None
    """Of the calls up to this one, by their caller's returns."""
    other_work_s: float = 0.0
    """For how long, at most, its line was at work on something else when a loop began of late."""
    is_late_first: bool = False
    """It found its line at rest, and ended so late that this had something else to do before."""


class Owner(Protocol):
    """Who waits for one call after the other."""

    @property
    def lock(self) -> AbstractContextManager[Any]: ...
    def saw(self, link: Link) -> None: ...
    def lost(self, link: Link) -> None: ...
    def go_on(self, ended: Link) -> None: ...


class Link(OutputWatch):
    """The one call that is waited for.

    Args:
        rested: its line had nothing to do when it was called.
        begun: since when its line has been at work, if that is known.
    """

    holds = False
    """Not one of the waiter's own `depth`."""
    closely = False
    """Its end is to be known well."""
    alone = False
    """So is the end of the call before."""
    was_first = False
    """All calls before it had ended by then."""
    is_late_first = False
    """And it ended so late that its line had something else to do before."""
    asks_for_other_work = False
    """It is to tell that, and nothing else."""
    returned = math.inf
    """When its caller, about to make another call, saw that its end had been seen."""
    over = False
    """What follows from its end was done."""
    _told: Told | None = None
    _ran = _asked = -math.inf
    """When its caller saw that it had not ended, and when it asked last."""

    def __init__(self, call: Call, rested: bool, owner: Owner, begun: Begun | None = None) -> None:
        super().__init__(call.array, call.start)
        self.lane, self.number, self.work = call.lane, call.number, call.work
        self.entry, self.place = call.entry, call.place
        self.is_large, self.rested = call.is_large, rested
        self._end = call.end
        self._owner = owner
        self.since = perf_counter()
        self.due = self.since + call.lane.each_s if rested else call.lane.due(call)
        """When it may be expected to end."""
        self.span_from = max(call.lane.seen.when, call.lane.began) if call.lane.next_from > -math.inf else self.since
        """Since when its span lasts, if no rest has come between: the longer that is the less well an end has to be known."""
        self.begun = begun
        if begun is not None:
            self.since, self.due = begun.start, begun.start + begun.calls * call.lane.each_s
            self.lingers, self.span_from = not begun.of_one, begun.start

    def output(self) -> Any | None:
        now = perf_counter()
        if self.array is None:
            self.returned = now
        else:
            self._ran, self._asked = self._asked, now
        return super().output()

    def have_caller_ask(self) -> None:
        """A caller that waits because it is too far ahead is back at the moment of an end: it sees more, and at less cost. So a
        large output is let go of while the call after it still runs, as it would be without us: else its memory is not there
        for a later call, and new pages have to be found for that."""
        begins = self.is_large and not self.closely and self.array is not None and perf_counter() >= self.asked_from
        if begins and self not in watching:
            watching.append(self)

    def found_over(self, now: float) -> None:
        """Its caller, who has just made the next call, found that it had ended."""
        self.before, self.after = max(self.start, self.not_yet, self._ran), min(now, self.peeked)
        self.array = None
        self.ended()

    def found_gone(self) -> None:
        """Its caller, who has just made the next call, has deleted the output."""
        self.before = self.after = math.nan
        self.array = None
        self.ended()

    def told_by_return(self, start: float, end: float, told: Told | None) -> None:
        """A call with these two times was held back by this end; what is known by then of others."""
        self.before, self.after = max(start, end - RETURNS_WITHIN_S), end
        self.array, self._told = None, told
        self.ended()

    def noticed(self) -> None:
        if self.is_large:
            self.before, self.after = max(self.start, self._ran), self.peeked
            self.array = None

    @property
    def asked_from(self) -> float:
        """From when on a large output's caller looks for its end: calls may take less than usual."""
        return self.since + min(_FIRST_LARGE * (self.due - self.since), _OFTEN_S)

    def pause_s(self, now: float) -> float:
        """Few questions: most of the time that it may take has passed before the first, and none while its caller asks."""
        left_s = self.due - now
        if self.lane.held_back.tells and not self.is_large and now - hot_path.latest_end() < COMES * self.lane.each_s:
            return max(COMES * self.lane.each_s, left_s)  # its caller will see it
        if self.is_large and not self.closely:
            comes_s = min(COMES * self.lane.each_s, _OFTEN_S)
            if now - max(self._asked, hot_path.latest_end()) < comes_s:
                return max(self.asked_from - now, comes_s)
        if self.closely:  # not in step with the calls
            whole_s, each_s = self.due - self.since, self.lane.each_s
            most_s = max(_SURE * whole_s - (now - self.since), _STEP * whole_s, _SOON * each_s)
            closely_s = random.uniform(0.5, 1.0) * max(_CLOSELY_S, _CLOSELY * each_s)
            return max(min(_FIRST_CLOSELY * left_s, most_s), closely_s)
        if self.begun is not None:  # a span by itself, however short
            whole_s = max(self.due, now) - self.span_from
            most_s = max(_SURE_LAST * whole_s - (now - self.span_from), _KNOWN_LAST * whole_s)
            return max(min(_FIRST_LAST * left_s, _OFTEN_S, most_s), _STEP_LAST * whole_s)
        # not nearer than some steps before it is due, by however many questions it comes there
        first_s = left_s - (1 - _FIRST) * (self.due - self.since)
        return max(min(first_s, _OFTEN_S), _STEP * (max(self.due, now) - self.span_from))

    def ended(self) -> None:
        """Also called for its caller, if that has noticed it."""
        with self._owner.lock:
            if not self.lingers:
                stop_watching(self)  # its caller may have begun to ask a moment ago
            if self.over:
                return
            if not math.isfinite(self.after):
                self._owner.lost(self)
            else:
                self.before = max(self.before, min(self._ran, self.after))
                self._owner.saw(self)
                if not self.asks_for_other_work:  # no span begins with it: what comes next is looked at from a rest on
                    seen.append(self)
            self._owner.go_on(self)
            self.over = True  # not before: where Ctrl-C comes between the waiter's thread does it all again

    def told(self) -> Ended:
        """What is known of its end, by its caller, too: if that has waited once until it was back it was woken by this."""
        before, after = self.before, min(self.after, self.returned)  # it may have been `peeked` before the thread saw it
        if not self.is_large and self.peeked > before:  # not NaN
            after = min(after, self.peeked)
        if self.had is not None and self.had_then is not None and self.had.thread == self.had_then.thread:
            had, back = self.had.until(self.had_then), min(self.peeked, self.returned)
            if had.waits == 1 and math.isfinite(back) and back - had.late_s <= after:  # else it has waited for something else
                before = max(before, back - had.late_s)
        known = self.begun, self._told, self.lane.rests.other_work_s, self.is_late_first
        return Ended(self.start, self._end, before, after, self.lane.line, self.is_large, *known)

    def least_s(self) -> float:
        """How long it lasted for each call, at least, since the end that was seen before, or since its line was at rest."""
        if self.begun is not None:
            return max(self.before - self.since, 0.0) / self.begun.calls
        seen = self.lane.seen
        if self.is_large and not self.rested and 0.0 < _STALE * (self.due - seen.when) < self.since - seen.when:
            return self.lane.each_s  # its line has rested since then, nobody knows for how long
        since, calls = (self.since, 1) if self.rested else (max(seen.when, self.lane.began), self.number - seen.number)
        return max(self.before - since, 0.0) / max(calls, 1)


seen: deque[Link] = deque()
"""Of which the end was seen, and not judged yet."""
