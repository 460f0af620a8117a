"""Busy spans of several entries, shared out among these.

They are in the proportion in which calls of each took when they were seen alone, between their own end and that of the call
before: a mean of many, of those nearest to the span if they will do: a machine may grow slower and quicker. Where calls of an
entry differ much, so is the time: of as many spans as it takes to be certain. Where most calls of a span were seen alone these
tell what it holds. Where some last many times as long as most, nothing is known of any. Where all of a span but a little is one
entry's, as of a validation step each hundred steps, it is enough to know how long the others last at most.
"""

from __future__ import annotations

import functools
import math
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from statistics import fmean, median
from typing import NamedTuple

from jupyter_jitmagic.recording.executions.alone import well_known
from jupyter_jitmagic.recording.executions.held_back import deviation

_ALONE = 400
"""Of so many calls that were seen alone, the latest, an entry's mean is taken at most."""
_NEAREST, _SAME = (24, 80, _ALONE), 8
"""Of so many that were seen before and after a span it is taken if they will do; so many further on of others."""
_ENOUGH, _FEW_SPREAD = 6, 0.5
"""Fewer of them do not show by how much they differ: by this share, it is taken."""
_LATE = 1.5
"""Seen late is an end that was so many times more uncertain than the best quarter, of one half at most."""
_TRIMMED = 0.2
_SIGMAS = 2.0
_OWN = 0.75
"""A mean without the longest and the shortest is not quite that of all, though all of them were seen."""
_MOST_OWN = 0.5
"""Where so many of a span's calls were seen alone these tell what it holds, and no others."""
_CHANGED = 1.4
"""Calls that took so many times as long before a span as behind it, or so much less, do not tell what they took in it, where
that is more than they differ by chance."""
_LONGER = 1.2
"""Where the mean of all is so many times that without the longest and the shortest it tells too little."""
_KEPT, _TOGETHER = 512, 16
"""So many spans, and as many before and after one tell its entries' means."""
_ALIKE, _ODD, _MOST_ODD = 1.3, 1.7, 0.2
"""Spans that took so many times as long as their calls alone, or so much less, held something else: several together, one, and
the share of such ones where the others do not tell enough either."""

_STILL, _LAST = 1.15, 4
"""Where the latest so many spans took so many times as long as calls that were seen alone, or so much less, these tell no more
what calls take now."""


class Span(NamedTuple):
    """Calls `first` to `last`: so many of each entry, which took so long together, give or take half of `uncertain`."""

    first: int
    last: int
    counts: dict[int, int]
    seconds: float
    uncertain: float

    @property
    def calls(self) -> int:
        return sum(self.counts.values())


class _Usual(NamedTuple):
    """What `seen` calls took in the mean, and by which share of it one differs from another."""

    seconds: float
    spread: float
    seen: int
    blur: float
    """By which share the mean may be wrong, because calls had about ended before it was looked a first time."""
    calls: tuple[int, ...]
    """Those that were seen, ascending."""
    all_s: float
    """The mean of all of them, the longest and the shortest included."""
    tells: float = _OWN
    """How far their mean tells what these calls themselves took."""

    def error(self, calls: float = math.inf, own: int = 0) -> float:
        """By which share so many calls may take more or less in the mean, `own` of which are among those that were seen."""
        variance = 1 / self.seen + 1 / calls - self.tells * 2 * own / (self.seen * calls)
        return self.spread * math.sqrt(max(variance, 0.0)) + self.blur / _SIGMAS

    def seen_in(self, span: Span) -> int:
        """How many calls of a span were seen."""
        return bisect_left(self.calls, span.last + 1) - bisect_left(self.calls, span.first)


class _Alone:
    """What calls of one entry took by themselves."""

    def __init__(self) -> None:
        self.seen: deque[tuple[int, float, float]] = deque(maxlen=_ALONE)
        """Call, seconds, and how uncertain they are; the calls ascend."""

    def add(self, call: int, seconds: float, uncertain: float) -> None:
        if not self.seen or call > self.seen[-1][0]:  # it may have been told otherwise
            self.seen.append((call, seconds, uncertain))

    def own(self, span: Span, count: int, spread: float) -> _Usual | None:
        """What those took that are the span's own; None where these are few of its calls, or not alike."""
        own = [each for each in self.seen if span.first <= each[0] <= span.last]
        times = [seconds for _, seconds, _ in own]
        middle = fmean(times) if times else 0.0
        if middle <= 0 or len(own) < _MOST_OWN * count or middle > _ODD * median(times):
            return None
        blur = _SIGMAS * math.hypot(*(uncertain / 4 for _, _, uncertain in own)) / len(own) / middle
        return _Usual(middle, spread, len(own), blur, tuple([call for call, _, _ in own]), middle, tells=1.0)

    def is_steady(self, span: Span, goes_on: bool) -> bool:
        """Whether the latest that were seen before the middle of a span took about as long as the first behind it. Where there
        are too few behind it that is not known yet if the loop `goes_on`, and else taken for so."""
        seen = list(self.seen)
        at = bisect_left([number for number, _, _ in seen], (span.first + span.last) / 2)
        before, behind = ([seconds for _, seconds, _ in part] for part in (seen[:at][-_SAME:], seen[at:][:_SAME]))
        if min(len(before), len(behind)) < _SAME // 2:
            return not goes_on or len(behind) >= _SAME // 2
        means = fmean(before), fmean(behind)
        error = math.hypot(*(deviation(part) / math.sqrt(len(part)) for part in (before, behind)))
        return abs(means[0] - means[1]) <= max((_CHANGED - 1) * min(means), _SIGMAS * error)

    def usuals(self, most: int) -> Callable[[float], _Usual | None]:
        """What they usually took about a call, of `most` of them."""
        seen = list(self.seen)
        calls = [call for call, _, _ in seen]
        of = functools.cache(lambda begin: _usual(seen[begin : begin + most]))

        def usual(call: float) -> _Usual | None:
            begin = (bisect_left(calls, call) - most // 2) // _SAME * _SAME
            return of(max(min(begin, len(seen) - most), 0))

        return usual


def _usual(alone: list[tuple[int, float, float]]) -> _Usual | None:
    """The mean without the longest and the shortest fifth; None if hardly anything is known. None is taken whose ends were seen
    late, however long it lasted, unless it was a short one in any case: without these the others would seem longer than they
    are."""
    if len(alone) < 2:
        return None
    wide = sorted(uncertain for _, _, uncertain in alone)
    most = max(_LATE * wide[len(wide) // 4], wide[len(wide) // 2])
    short = median(seconds for _, seconds, uncertain in alone if uncertain <= most)
    taken = [each for each in alone if each[2] <= most or each[1] + each[2] / 2 <= short]
    seen = sorted((seconds, uncertain) for _, seconds, uncertain in taken)
    count, cut = len(seen), int(_TRIMMED * len(seen))
    kept = seen[cut : count - cut]
    times = [seconds for seconds, _ in kept]
    middle = fmean(times)
    if count < 2 or middle <= 0:
        return None
    spread = deviation([times[0]] * cut + times + [times[-1]] * cut) / (1 - 2 * _TRIMMED) / middle  # Tukey and McLaughlin's
    blur = sum(uncertain / 2 for seconds, uncertain in kept if uncertain >= seconds) / len(kept) / middle
    spread = spread if count >= _ENOUGH else max(spread, _FEW_SPREAD)
    return _Usual(middle, spread, count, blur, tuple([call for call, _, _ in taken]), fmean(seconds for seconds, _ in seen))


class _Mixed:
    """A span, and those of its entries that have no time yet."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.left = set(span.counts)
        self.known: dict[int, _Usual] = {}
        """What calls of each entry usually took about it; empty where that is not known of all."""
        self.usually = 0.0
        """How long its calls take alone, one after the other; 0 where that is not known."""

    def know(self, usuals: dict[int, Callable[[float], _Usual | None]]) -> None:
        middle, counts = (self.span.first + self.span.last) / 2, self.span.counts
        known = {entry: usuals[entry](middle) for entry in counts if entry in usuals}
        self.known = {entry: usual for entry, usual in known.items() if usual is not None}
        if self.known.keys() != counts.keys():
            self.known = {}
        self.usually = sum(counts[entry] * usual.seconds for entry, usual in self.known.items())

    def by_its_own(self, alone: dict[int, _Alone]) -> _Mixed | None:
        """The same, going by those of its own calls that were seen alone; None where these are too few."""
        counts = self.span.counts
        own = {entry: alone[entry].own(self.span, counts[entry], usual.spread) for entry, usual in self.known.items()}
        made = _Mixed(self.span)
        made.left, made.known = self.left, {entry: usual for entry, usual in own.items() if usual is not None}
        made.usually = sum(counts[entry] * usual.seconds for entry, usual in made.known.items())
        return made if made.known.keys() == counts.keys() else None

    @property
    def ratio(self) -> float:
        """How many times as long it took as its calls alone, as far as that is known."""
        return self.span.seconds / self.usually if self.usually else 1.0

    @property
    def is_new(self) -> bool:
        return len(self.left) == len(self.span.counts)

    @property
    def is_odd(self) -> bool:
        return not 1 / _ODD <= self.ratio <= _ODD

    def is_like(self, other: _Mixed) -> bool:
        """Whether they can be taken together."""
        return other.known.keys() <= self.known.keys() and 1 / _ALIKE <= other.ratio / self.ratio <= _ALIKE


def _ratio(spans: list[_Mixed]) -> float:
    """How many times as long they took as their calls alone, as far as that is known."""
    usually = sum(mixed.usually for mixed in spans)
    return sum(mixed.span.seconds for mixed in spans if mixed.usually) / usually if usually else 1.0


Known = Callable[[int], float | None]
Told = Callable[[Span, dict[int, float], int], None]
"""Told of a span its entries' means, and of how many calls these are."""


class MixedSpans:
    """Of all lines.

    Args:
        tolerance: the share of a mean by which it may be uncertain.
        most: how long an entry's execution takes at most, in seconds, or None.
        told: told of each mean.
    """

    def __init__(self, tolerance: float, most: Known, told: Told) -> None:
        self._tolerance = tolerance
        self._most = most
        self._told = told
        self._alone: dict[int, _Alone] = {}
        self._spans: deque[_Mixed] = deque(maxlen=_KEPT)

    def add(self, span: Span) -> None:
        self._spans.append(_Mixed(span))

    def saw_alone(self, entry: int, call: int, seconds: float, uncertain: float) -> None:
        """One call took so long, give or take half of `uncertain`."""
        self._alone.setdefault(entry, _Alone()).add(call, seconds, uncertain)

    def roughly(self, entry: int) -> float | None:
        """How long its calls took of late, as far as they were seen alone."""
        alone = self._alone.get(entry)
        return None if alone is None else max(median(seconds for _, seconds, _ in list(alone.seen)[-_SAME:]), 0.0)

    def forget(self, entry: int) -> None:
        """An entry is no more."""
        self._alone.pop(entry, None)

    def share_out(self, goes_on: bool) -> None:
        """Tell what is known by now of spans that have not been told of yet; where the loop `goes_on`, of none behind which no
        call was seen alone so far."""
        for mixed in self._spans:
            if mixed.is_new:
                self._tell_most_of(mixed)
        for most in _NEAREST:
            if any(mixed.left for mixed in self._spans):
                self._share_out(most, goes_on)

    def _tell_most_of(self, mixed: _Mixed) -> None:
        """Of a span that is one entry's but for a little that entry's mean."""
        span = mixed.span
        parts = {entry: calls * (self._most(entry) or math.inf) for entry, calls in span.counts.items()}
        entry = max(parts, key=parts.__getitem__)
        others_s = sum(seconds for other, seconds in parts.items() if other != entry)
        seconds = span.seconds - others_s / 2
        each, uncertain = seconds / span.counts[entry], (span.uncertain + others_s) / span.counts[entry]
        usually = self.roughly(entry) or each
        # else one of the others may have lasted longer than ever before
        if uncertain <= self._tolerance * each <= self._tolerance * _ODD * usually:
            self.saw_alone(entry, span.last, each, uncertain)
            self._told(span, {entry: each}, span.counts[entry])
            mixed.left.discard(entry)

    def _share_out(self, most: int, goes_on: bool) -> None:
        """As far as so many calls of each entry that were seen alone will do."""
        usuals = {entry: alone.usuals(most) for entry, alone in self._alone.items()}
        spans = list(self._spans)
        for mixed in spans:
            mixed.know(usuals)
        for entry, usual in usuals.items():
            latest = usual(math.inf)
            if latest is not None and _SIGMAS * latest.error() <= self._tolerance and latest.all_s <= _LONGER * latest.seconds:
                well_known[entry] = latest.seconds
        last = spans[-_LAST:]
        if not 1 / _STILL <= _ratio(last) <= _STILL or not all(map(self._is_steady, last)):  # the machine changes, or its calls
            for entry in {entry for mixed in last for entry in mixed.known}:
                well_known.pop(entry, None)
        for at, mixed in enumerate(spans):
            if mixed.left and mixed.known and not mixed.is_odd:
                near = range(max(at - _TOGETHER, 0), min(at + _TOGETHER + 1, len(spans)))
                of_odd = sum(spans[i].span.seconds for i in near if spans[i].is_odd)
                if of_odd <= _MOST_ODD * sum(spans[i].span.seconds for i in near):
                    own = mixed.by_its_own(self._alone)
                    if own is not None:
                        self._share_out_one(own, [own])
                    if self._is_steady(mixed, goes_on):
                        others = [spans[i] for i in sorted(near, key=lambda i: abs(i - at))]
                        together = [one for one in others if one.known and not one.is_odd and mixed.is_like(one)]
                        self._share_out_one(mixed, together)

    def _is_steady(self, mixed: _Mixed, goes_on: bool = False) -> bool:
        """Whether its entries' calls took as long before it as behind it: it is shared out by both."""
        return all(self._alone[entry].is_steady(mixed.span, goes_on) for entry in mixed.known)

    def _share_out_one(self, mixed: _Mixed, together: list[_Mixed]) -> None:
        """One span, with as many of those beside it as it takes to be certain."""
        counts: dict[int, int] = {}
        own: dict[int, int] = {}
        known = mixed.known
        seconds = usually = 0.0
        for one in together:
            for entry, count in one.span.counts.items():
                counts[entry] = counts.get(entry, 0) + count
                own[entry] = own.get(entry, 0) + known[entry].seen_in(one.span)
            seconds, usually = seconds + one.span.seconds, usually + one.usually
            errors = {entry: known[entry].error(count, own[entry]) for entry, count in counts.items()}
            parts = {entry: count * known[entry].seconds / usually * errors[entry] for entry, count in counts.items()}
            means = {}
            for entry in mixed.left if 1 / _ALIKE <= seconds / usually <= _ALIKE else ():
                # what one takes too much of a span the others take too little
                of_others = math.hypot(*(part for other, part in parts.items() if other != entry))
                if _SIGMAS * math.hypot(errors[entry] - parts[entry], of_others) <= self._tolerance:
                    means[entry] = seconds / usually * known[entry].seconds
            if means:
                self._told(mixed.span, means, sum(counts.values()))
                mixed.left.difference_update(means)
            if not mixed.left:
                return
