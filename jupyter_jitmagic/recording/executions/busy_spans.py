"""The mean execution of calls during which the device never rested: (last end - first end) / calls.

A span lies between two ends that were seen, of one line of devices. What the GIL and the scheduler add to one sight of an
end is divided by the calls between. It holds if every call but the first was handed over before the one before it had
ended; the first may come late: then the span begins with it. Where the device rested a little all the same, as in a loop that
reads each tenth result, the calls since then tell how much at most. What lies between two gaps in which its caller was away for
as long as before the span's first call is looked at by itself: one such part may have been quicker than others, and no rest
was longer, by and large, than that which was seen first, or than those that were seen of late; half of it, or as much as was
certain, is taken off for each. Of gaps that were far longer only the calls after them tell how much was done meanwhile. Spans
of several entries are shared out by `mixed_spans`.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable
from statistics import fmean
from typing import Any, NamedTuple

import jax

from jupyter_jitmagic.recording.executions.held_back import Returns, Told, mean_of
from jupyter_jitmagic.recording.executions.lanes import Line
from jupyter_jitmagic.recording.executions.links import Ended
from jupyter_jitmagic.recording.executions.mixed_spans import Known, MixedSpans, Span
from jupyter_jitmagic.records.log import COMPILE, HIT, INLINED, RESTED, SEEN_LATE, UNSURE, log

_REST = 0.1
"""The device may have rested for this share of a span at most."""
_AWAY, _SLOW = 0.05, 2
"""Where its caller was away for such a share of a span, the next call may have taken as long as so many more, as the first of a
loop may. Of large outputs few are looked at, and not the last before a rest: there it does not tell of those before."""
_ENDS = 16
"""So many of a line are remembered."""
_LONGEST = 4096
"""Calls of a span."""
_MIXED = 16
"""Calls of a span of several entries, at least."""
_BEGINS = 3
_ALIKE = 2
"""Callers that were away for up to so many times as long were away for the same."""
_LONGER = 4
"""In one that lasted more times as long the device may have rested, or done something else, for longer than is known."""
_RESTS, _SIGMAS = 4, 2.0
"""So many rests tell how long one usually is, give or take so many standard errors."""
_NEAR = 16
"""So many calls from one of a line to the next, at most: those between are other devices'."""


class End(NamedTuple):
    """Between which times a call's execution ended."""

    call: int
    before: float
    after: float
    is_large: bool = False
    """Its output was."""
    other_work_s: float = 0.0
    """For how long, at most, the device was at work on something else when a loop began of late."""


Found = Callable[[int, float, int], None]
"""Told of an entry's mean, and over how many calls."""


class Rest(NamedTuple):
    """How long a line rested, at least and at most."""

    least: float
    most: float


def usual_rest(rests: list[Rest]) -> Rest | None:
    """The mean of these; None if they are too few.

    Each lies anywhere between its two bounds (a uniform distribution's variance is width²/12) and differs from the others.
    """
    if len(rests) < _RESTS:
        return None
    middles = [(rest.least + rest.most) / 2 for rest in rests]
    middle = fmean(middles)
    seen_s2 = sum((rest.most - rest.least) ** 2 for rest in rests) / 12 / len(rests)
    varies_s2 = sum((other - middle) ** 2 for other in middles) / (len(rests) - 1)
    error = _SIGMAS * math.sqrt(max(varies_s2, seen_s2) / len(rests))
    return Rest(max(middle - error, 0.0), middle + error)


class BusySpans:
    """Of all lines.

    Args:
        tolerance: the share of a mean by which it may be uncertain.
        usual: what is roughly known of an entry's executions, in seconds, or None.
        found: told of each mean.
        most: how long an entry's execution takes at most, going by those that were looked at.
    """

    def __init__(self, tolerance: float, usual: Known, found: Found, most: Known = lambda entry: None) -> None:
        self._tolerance = tolerance
        self._usual = usual
        self._found = found
        self._from: dict[Line, list[End]] = {}
        """Where the next span may begin, the first that comes to something."""
        self._ends: dict[Line, deque[End]] = {}
        """The latest of each line."""
        self._used: dict[Line, tuple[End | None, int]] = {}
        """Where the latest span of one entry began, and its last call: the next end may be too near to that, as at the end of
        a loop, and certain together with it."""
        self._mixed = MixedSpans(tolerance, most, self._write)
        self._returns = Returns()
        self._why = RESTED
        """Why the calls of the latest span have no time, unless they are told one."""

    def learn(self, ended: Ended, line_of: Callable[[int], Line | None]) -> int | None:
        """What was seen of a line that is given calls more quickly than it works through them: the number of the call, None
        where it is not kept. The log is locked."""
        call = log.columns.find(ended.start, ended.end)
        if call is None:
            return None
        end = End(call, ended.before, ended.after, ended.is_large, ended.other_work_s)
        begun, said_from = ended.begun, None
        if begun is not None and begun.returned is not None:
            first = log.columns.find(begun.start, begun.returned)
            if first is not None and log.columns.first < first < call:
                said = self._see_run(End(first - 1, begun.start, begun.start), end, ended.line, line_of)
                said_from = first if said else None
        if ended.told is not None:
            self._see_by_returns(call, ended.told, ended.line, line_of)
        if ended.is_late_first:
            self._from.pop(ended.line, None)  # what was done before it is in no span
            self.begin(end, ended.line)
        else:
            self.add(end, ended.line, line_of, said_from)
        return call

    def add(self, end: End, line: Line, line_of: Callable[[int], Line | None], said_from: int | None = None) -> None:
        """One more end of a line, later than those before it; what the calls from `said_from` on take is known by now. The log
        is locked."""
        ends = self._ends.setdefault(line, deque(maxlen=_ENDS))
        latest = ends[-1] if ends else None
        if latest is not None and latest.call < end.call:
            end = end._replace(before=max(latest.before, end.before))
        ends.append(end)
        in_a_row = latest is not None and self._see_alone(latest, end, line, line_of)
        begins = [begin for begin in self._from.get(line, ()) if _may_begin(begin, end)]
        self._from[line] = begins
        used, said = self._used.pop(line, (None, 0))
        if in_a_row and begins and used is None and end.call - begins[0].call < _MIXED:
            return  # no more than was seen of this call alone
        for begin in (*begins, *(() if used is None or not _may_begin(used, end) else (used,))):
            if begin.call + 1 == said_from:
                begins.clear()
                break
            if end.after - end.before > self._tolerance * (end.after - begin.before):
                continue
            span = self._span(begin, end, line, line_of)
            if span is not None:
                self._why = SEEN_LATE if len(span.counts) == 1 else UNSURE
            log.columns.refuse(begin.call + 1, end.call, self._why)
            if span is None:
                begins[:] = [other for other in begins if other is not begin]
            elif span.calls > 1 and span.uncertain <= self._tolerance * span.seconds:
                # not of one call: of such the long ones would be certain, and stand for all
                if len(span.counts) == 1:
                    (entry,) = span.counts
                    unsaid = span if begin is not used else span._replace(first=said + 1)
                    self._write_run(entry, unsaid, span)
                    if begin is not used:
                        self._used[line] = begin, span.last
                elif span.calls < _MIXED:
                    break
                else:  # where the first calls have their mean by themselves, for the others
                    self._mixed.add(span)
                begins.clear()
                break
        self.begin(end, line)

    def share_out(self, goes_on: bool = False) -> None:
        """Share spans of several entries out where enough is known by now. The log is locked."""
        self._mixed.share_out(goes_on)

    def begin(self, end: End, line: Line) -> None:
        """A span may begin here."""
        begins = self._from.setdefault(line, [])
        if not begins or begins[-1].call < end.call:
            begins.append(end)
        if len(begins) > _BEGINS:  # no span will be certain soon that begins with the worst
            begins.remove(max(begins[:-1], key=lambda begin: begin.after - begin.before))

    def forget(self, entry: int) -> None:
        """An entry is no more."""
        self._mixed.forget(entry)
        self._returns.forget(entry)

    def _span(self, begin: End, end: End, line: Line, line_of: Callable[[int], Line | None]) -> Span | None:
        """The calls after `begin` up to `end`; None if the device may have rested, or did something that is not known."""
        import numpy as np

        of_line, self._why = _calls_of(begin.call + 1, end.call, line, line_of), COMPILE
        if of_line is None or of_line.calls[-1] != end.call:
            return None
        (calls, started, ended, place, counts), self._why = of_line, RESTED
        low, high = max(begin.before, float(started[0])), max(begin.after, float(ended[0]))
        if started[0] >= begin.after:
            high = max(high, float(started[0]) + end.other_work_s)
        each = np.ones(len(place))
        if len(counts) > 1:
            usual = {entry: self._usual(entry) or self._mixed.roughly(entry) for entry in counts}
            if all(usual.values()):
                for entry, seconds in usual.items():
                    each[place == entry] = seconds
        if self._rested_s(begin, end, line, calls, (started, ended), each) > _REST * (end.after - low):
            return None
        rest, rested, begins = 0.0, 0.0, [0]
        if begin.call >= log.columns.first and float(started[0]) > begin.after:
            away = started - np.append(log.columns.times(begin.call - log.columns.first)[1], ended[:-1])
            begins += (np.flatnonzero((away[1:] > away[0] / _ALIKE) & (away[1:] <= _LONGER * away[0])) + 1).tolist()
            if len(begins) > 1:
                certain, rest = self._rest_after(begin, (float(started[0]), float(away[0])), line)
                rested = (len(begins) - 1) * min(certain, rest / 2)
        at = np.array(begins)
        if end.is_large:
            slow = np.append(False, started[1:] - ended[:-1] > _AWAY * (end.after - low))
            slow[at] = False
            each = np.where(slow, (1 + _SLOW) * each, each)
        most = _work(each, ended, at, np.append(low, started[at[1:]]), np.append(started[at[1:]], end.after))
        least = _work(each, ended, at, np.append(high, started[at[1:]]), np.append(started[at[1:]] - rest, end.before))
        if most < (1 - _REST) * (end.after - low) or rested > _REST * (end.after - low):
            return None
        longest = end.after - low - rested
        seconds, uncertain = (least + longest) / 2, longest - least
        if end.other_work_s and (away_s := started[1:] - ended[:-1]).max(initial=0.0) > _AWAY * seconds:
            uncertain += end.other_work_s * int((away_s > _AWAY * seconds).sum())
        if seconds <= 0:
            return None
        return Span(begin.call + 1, end.call, counts, seconds, uncertain)

    def _rest_after(self, begin: End, next_call: tuple[float, float], line: Line) -> tuple[float, float]:
        """How long the line rested after this end, at least and at most, its next call being made then, its caller away for so
        long before: or how long it rested on average after such ends, where that is known better."""
        start, away = next_call
        own, columns = Rest(start - begin.after, start - begin.before), log.columns
        rests = []
        for end in self._ends.get(line, ()):
            row = end.call - columns.first
            if 0 <= row < len(columns) - 1:
                start, returned = columns.times(row + 1)[0], columns.times(row)[1]
                if start > end.after and away / _ALIKE < start - returned < away * _ALIKE:
                    rests.append(Rest(start - end.after, start - end.before))
        usual = usual_rest(rests)
        return own if usual is None or usual.most - usual.least >= own.most - own.least else usual

    def _rested_s(self, begin: End, end: End, line: Line, calls: Any, times: tuple[Any, Any], each: Any) -> float:
        """For how long the line rested at least, going by the ends that were seen between these two: the next call came later
        than one, or, while its caller was away, there was too little to do until the next, going by the other parts."""
        import numpy as np

        started, ended = times
        seen = [begin, *[other for other in self._ends.get(line, ()) if begin.call < other.call < end.call], end]
        if len(seen) == 2:
            return 0.0  # there are no other parts to go by
        at = calls.searchsorted([one.call for one in seen], "right").tolist()
        away = np.append(-math.inf, started[1:] - ended[:-1]) > _AWAY * (end.after - begin.before)
        late_s = most_s = known = 0.0
        doubted: list[tuple[float, float]] = []
        for i, (one, other) in enumerate(itertools.pairwise(seen)):
            works = each[at[i] : at[i + 1]]
            if i and len(works):
                late_s += max(float(started[at[i]]) - one.after, 0.0)
            if away[at[i] : at[i + 1]].any():
                doubted.append((other.before - one.after, float(works.sum() + _SLOW * works.max())))
            else:
                most_s, known = most_s + other.after - one.before, known + float(works.sum())
        lost_s = sum(max(least_s - work * most_s / known, 0.0) for least_s, work in doubted) if known else 0.0
        return max(late_s, lost_s)

    def _see_run(self, before: End, end: End, line: Line, line_of: Callable[[int], Line | None]) -> bool:
        """Whether these are calls of one entry, of which the first found its line at rest, and their mean is certain."""
        span = self._span(before, end, line, line_of)
        if span is None or len(span.counts) > 1 or span.calls == 1 or span.uncertain > self._tolerance * span.seconds:
            return False
        (entry,) = span.counts
        self._write_run(entry, span, span)
        return True

    def _write_run(self, entry: int, unsaid: Span, span: Span) -> None:
        """Of calls of one entry their mean, which also tells what each takes of a span of several entries."""
        self._mixed.saw_alone(entry, span.last, span.seconds / span.calls, span.uncertain / span.calls)
        self._write(unsaid, {entry: span.seconds / span.calls}, span.calls)

    def _see_by_returns(self, last: int, told: Told, line: Line, line_of: Callable[[int], Line | None]) -> None:
        """Calls up to this one, as far as returns told how long each took."""
        first = last + 1 - len(told.entries)
        of_line = _calls_of(first, last, line, line_of) if first >= log.columns.first else None
        if of_line is None or of_line.place.tolist() != told.entries:  # others were between these
            self._returns.refuse(told.entries)
            return
        for entry in self._returns.learn(told):
            alone = [
                (call, seconds)
                for call, (other, seconds) in enumerate(zip(told.entries, told.seconds, strict=True), first)
                if other == entry and not math.isnan(seconds)
            ]
            for call, seconds in alone:
                self._mixed.saw_alone(entry, call, seconds, told.uncertain_s)
            calls = told.entries.count(entry)
            mean = mean_of([seconds for _, seconds in alone], calls, told.uncertain_s, self._tolerance)
            if mean is not None:
                self._write(Span(first, last, {entry: calls}, mean * calls, told.uncertain_s * calls), {entry: mean}, calls)

    def _see_alone(self, before: End, end: End, line: Line, line_of: Callable[[int], Line | None]) -> bool:
        """Whether there is but one call between these two, and how long it took."""
        columns = log.columns
        row, calls = end.call - columns.first, end.call - before.call
        if not 0 < calls <= (1 if len(jax.devices()) == 1 else _NEAR) or row < calls:
            return False
        entry = columns.place(row)
        if calls == 1 and line_of(entry) == line and columns.outcome(row) == HIT:
            start, returned = columns.times(row)
            low, high = max(before.before, start), max(before.after, returned)
            seconds, uncertain = (end.before + end.after - low - high) / 2, high - low + end.after - end.before
        else:
            span = self._span(before, end, line, line_of)
            if span is None or span.calls > 1:
                return False
            seconds, uncertain = span.seconds, span.uncertain
        self._mixed.saw_alone(entry, end.call, seconds, uncertain)
        return True

    def _write(self, span: Span, means: dict[int, float], calls: int) -> None:
        columns = log.columns
        if span.last < columns.first:
            return
        new = columns.average(span.first, span.last, means, calls)
        for entry, seconds in means.items():
            if new[entry]:
                self._found(entry, seconds, new[entry])


class _Calls(NamedTuple):
    """Hits of a line in its order: numbers, starts, ends and entries, as NumPy columns, and how many each entry has."""

    calls: Any
    started: Any
    ended: Any
    place: Any
    counts: dict[int, int]


def _calls_of(first: int, last: int, line: Line, line_of: Callable[[int], Line | None]) -> _Calls | None:
    """Those among calls `first` to `last`; None if there is none, or one of which nothing is known, or during which the device
    rested."""
    rows = log.columns.as_numpy(first - log.columns.first, last + 1 - log.columns.first, executions=False)
    counts = _counts(rows["place"])
    for place in list(counts):
        other = line_of(place) if place >= 0 else None
        if place < 0 and (rows["outcome"][rows["place"] == place] != INLINED).any():
            return None  # an error, or plain Python in its place
        if place < 0 or (other is not None and not other & line):
            counted = rows["place"] != place
            rows = {name: column[counted] for name, column in rows.items()}
            del counts[place]
        elif (other is None and len(jax.devices()) > 1) or other not in (None, line):
            return None
    if not counts or (rows["outcome"] != HIT).any():
        return None  # a compile
    return _Calls(rows["call"], rows["started"], rows["ended"], rows["place"], counts)


def _counts(places: Any) -> dict[int, int]:
    """How many calls there are at each place. Of one entry, as mostly, without sorting."""
    import numpy as np

    if (places == places[0]).all():
        return {int(places[0]): len(places)}
    return dict(zip(*(column.tolist() for column in np.unique(places, return_counts=True)), strict=True))


def _may_begin(begin: End, end: End) -> bool:
    """Whether the calls from one end to the other are still recorded, and not too many."""
    return log.columns.first - 1 <= begin.call < end.call <= begin.call + _LONGEST


def _work(each: Any, ended: Any, at: Any, since: Any, until: Any) -> float:
    """For how long the device worked, at most, in parts that begin with the calls `at` and last from `since` until `until`.
    From each later call of a part on it had the calls from there on left to do, which take `each`, and the time since that one
    `ended`."""
    import numpy as np

    if len(at) == 1:
        left = np.cumsum(each[::-1])[::-1]
        return float(min(until[0] - since[0], (left[0] * (until[0] - ended) / left)[1:].min(initial=math.inf)))
    done = np.append(0.0, np.cumsum(each))
    after = np.append(at[1:], len(each))
    part = np.repeat(np.arange(len(at)), after - at)
    left = done[after][part] - done[:-1]
    seconds = left[at][part] * (until[part] - ended) / left
    seconds[at] = until - since
    return float(np.minimum.reduceat(seconds, at).sum())
