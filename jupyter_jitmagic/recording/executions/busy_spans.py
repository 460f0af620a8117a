"""The mean execution of calls during which the device never rested: (last end - first end) / calls.

A span lies between two ends that were seen, of one line of devices. What the GIL and the scheduler add to one sight of an
end is divided by the calls between. It holds if every call but the first was handed over before the one before it had
ended; the first may come late: then the span begins with it. Spans of several entries are solved for the entries' means
(least squares over spans that hold different numbers of each), where they determine these; else nothing is known.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import jax

from jupyter_jitmagic.recording.executions.running_ahead import Line
from jupyter_jitmagic.records.log import HIT, INLINED, log

_REST = 0.05
"""The device may have rested for this share of a span at most."""
_LONGEST = 4096
"""Calls of a span."""
_EQUATIONS = 96
_SIGMAS = 2.0
_ROUGHLY = 0.5
_WORSE = 4.0
_OUTLIER = 3.0


class End(NamedTuple):
    """Between which times a call's execution ended."""

    call: int
    before: float
    after: float


class _Span(NamedTuple):
    """Calls `first` to `last`: so many of each entry, which took so long together, give or take half of `uncertain`."""

    first: int
    last: int
    counts: dict[int, int]
    seconds: float
    uncertain: float

    @property
    def calls(self) -> int:
        return sum(self.counts.values())


Found = Callable[[int, float, int], None]
"""Told of an entry's mean, and over how many calls."""


class BusySpans:
    """Of all lines.

    Args:
        tolerance: the share of a mean by which it may be uncertain.
        usual: what is roughly known of an entry's executions, in seconds, or None.
        found: told of each mean.
    """

    def __init__(self, tolerance: float, usual: Callable[[int], float | None], found: Found) -> None:
        self._tolerance = tolerance
        self._usual = usual
        self._found = found
        self._from: dict[Line, End] = {}
        self._spans: deque[_Span] = deque(maxlen=_EQUATIONS)
        self._open: deque[_Span] = deque(maxlen=_EQUATIONS)
        """Spans of several entries that could not be solved yet."""

    def add(self, end: End, line: Line, line_of: Callable[[int], Line | None]) -> None:
        """One more end of a line, later than those before it. The log is locked."""
        begin = self._from.get(line)
        if begin is None or begin.call < log.columns.first - 1 or not begin.call < end.call <= begin.call + _LONGEST:
            self._from[line] = end
            return
        span = self._span(begin, end, line, line_of)
        if span is None:
            self._from[line] = end
        elif span.uncertain <= self._tolerance * span.seconds:
            self._from[line] = end
            self._spans.append(span)
            if len(span.counts) == 1:
                (entry,) = span.counts
                self._write(span, {entry: span.seconds / span.calls})
            else:
                self._open.append(span)
                self._solve(frozenset(span.counts))
        elif span.calls == 1 and span.uncertain <= _ROUGHLY * span.seconds:
            self._from[line] = end
            self._spans.append(span)  # for itself it says too little
        elif begin.after - begin.before > _WORSE * (end.after - end.before):
            self._from[line] = end  # no span that begins there will be certain soon
        # else a longer one will be certain enough

    def begin(self, end: End, line: Line) -> None:
        """A span may begin here."""
        latest = self._from.get(line)
        if latest is None or latest.call < end.call:
            self._from[line] = end

    def _span(self, begin: End, end: End, line: Line, line_of: Callable[[int], Line | None]) -> _Span | None:
        """The calls after `begin` up to `end`; None if the device may have rested, or did something that is not known."""
        import numpy as np

        first = log.columns.first
        rows = log.columns.as_numpy(begin.call + 1 - first, end.call + 1 - first)
        counted = np.ones(len(rows["place"]), bool)
        for place in np.unique(rows["place"]).tolist():
            here = rows["place"] == place
            if place < 0:
                if (rows["outcome"][here] != INLINED).any():
                    return None  # an error, or plain Python in its place
                counted &= ~here
                continue
            other = line_of(place)
            if other is not None and not other & line:
                counted &= ~here
            elif (other is None and len(jax.devices()) > 1) or other not in (None, line):
                return None
        if (rows["outcome"][counted] != HIT).any():
            return None  # a compile, during which the device rested
        started, ended, place = (rows[name][counted] for name in ("started", "ended", "place"))
        if not len(place) or rows["place"][-1] not in place:
            return None
        low, high = max(begin.before, float(started[0])), max(begin.after, float(ended[0]))
        seconds = (end.before + end.after - low - high) / 2
        if seconds <= 0:
            return None
        entries, which, numbers = np.unique(place, return_inverse=True, return_counts=True)
        usual = np.array([self._usual(int(entry)) or math.nan for entry in entries])
        each = usual[which] if np.isfinite(usual).all() else np.ones(len(place))
        ends = (low + high) / 2 + np.cumsum(each) * (seconds / each.sum())
        rested = np.maximum(ended[1:] - ends[:-1], 0.0).sum()
        if rested > _REST * seconds:
            return None
        counts = dict(zip(map(int, entries), map(int, numbers), strict=True))
        return _Span(begin.call + 1, end.call, counts, seconds, (high - low) + (end.after - end.before))

    def _solve(self, entries: frozenset[int]) -> None:
        """The means of these entries from all spans that hold no others."""
        import numpy as np

        spans = [span for span in self._spans if entries.issuperset(span.counts)]
        names = sorted(entries)
        if len(spans) < 2 * len(names) + 2:
            return
        weights = np.array([span.calls for span in spans], float) ** -0.5  # each call adds its own deviation
        counts = np.array([[span.counts.get(entry, 0) for entry in names] for span in spans], float) * weights[:, None]
        seconds = np.array([span.seconds for span in spans]) * weights
        kept = np.ones(len(spans), bool)
        for _ in range(3):  # without those that something else has lengthened
            means, _, rank, _ = np.linalg.lstsq(counts[kept], seconds[kept], rcond=1e-6)
            off = np.abs(seconds - counts @ means)
            kept, before = off <= _OUTLIER * np.median(off) / 0.6745, kept
            if rank < len(names) or kept.sum() <= len(names):
                return
            if (kept == before).all():
                break
        noise = math.sqrt(float((off[kept] ** 2).sum()) / (int(kept.sum()) - len(names)))
        errors = noise * np.sqrt(np.diag(np.linalg.inv(counts[kept].T @ counts[kept])))
        if not ((means > 0) & (_SIGMAS * errors <= self._tolerance * means)).all():
            return
        known = dict(zip(names, means.tolist(), strict=True))
        for span in [span for span in self._open if entries.issuperset(span.counts)]:
            self._open.remove(span)
            self._write(span, {entry: known[entry] for entry in span.counts})

    def _write(self, span: _Span, means: dict[int, float]) -> None:
        columns = log.columns
        if span.last < columns.first:
            return
        columns.average(span.first, span.last, means, span.calls)
        for entry, seconds in means.items():
            self._found(entry, seconds, span.counts[entry])
