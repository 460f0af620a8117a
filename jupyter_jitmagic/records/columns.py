"""The calls as columns, in pages: 24 bytes a call, 34 in a page that has more than plain hits. A leaf: it imports nothing of
ours and knows nothing of JAX.

Pages, because a column that grows as one piece is copied again and again: that alone was 1 % of a small call.
"""

from __future__ import annotations

import itertools
import math
import struct
from array import array
from collections import deque
from collections.abc import Iterator
from typing import Any

NO_ENTRY = -1
WIDTH = 3
"""Start, end and place of a call, as they are kept."""
AVERAGED = 3
"""The code in `execute_how` of what was not seen of one call alone."""
_ROW = 8 * WIDTH
"""Bytes of these."""
_PAGE = 1 << 14
"""Rows of a page."""
_AVERAGES = 1 << 15
_ANY = -1
"""Spans of which it is kept how many calls they hold."""
_AT_MOST = 4096
_NEAR = 64
_FAR = 1024
"""A call that is so many rows before another is not looked for."""


class _Page:
    """Rows of calls; what a plain hit does not have takes room from the first row on that has it."""

    __slots__ = ("calls", "execute_how", "execute_s", "outcome", "plain")

    def __init__(self) -> None:
        self.calls = array("d", [0.0]) * (WIDTH * _PAGE)
        """Start, end and place of one call after the other."""
        self.plain = True
        self.outcome, self.execute_s, self.execute_how = array("b"), array("d"), array("b")

    def detailed(self) -> _Page:
        """The page, with room for what is more than a plain hit: code 0, and unobserved, until it is said."""
        if self.plain:
            self.outcome, self.execute_how = array("b", bytes(_PAGE)), array("b", bytes(_PAGE))
            self.execute_s = array("d", [math.nan]) * _PAGE
            self.plain = False
        return self


class Columns:
    """Growing columns of calls, the oldest of which may be dropped.

    A call's number is ``first + row``; numbers begin at 1, in the order in which calls ended. Its place is an entry's id, or
    ``-1 - function`` for a call that has no entry.
    """

    __slots__ = ("_averages", "_end", "_pages", "_start", "at_most", "first", "phases")

    def __init__(self, first: int = 1) -> None:
        self.first = first
        self._pages: list[_Page] = []
        self._start = self._end = 0
        """The kept rows, counted from the beginning of the first page."""
        self._averages = array("q")
        """First and last call of each span whose mean was taken, of how many calls, and at which place, in no order."""
        self.at_most: deque[tuple[int, float]] = deque(maxlen=_AT_MOST)
        """Of calls that were picked before they ended, the latest: number, and how many seconds the execution took at most;
        infinity where its end was not seen. In no order."""
        self.phases: dict[int, tuple[float, float, float]] = {}
        """Trace, lower and compile seconds by call number, for calls that are no plain hit."""

    def __len__(self) -> int:
        return self._end - self._start

    def extend(self, values: tuple[float, ...]) -> None:
        """Append start, end and place of one hit after the other."""
        end, done, count = self._end, 0, len(values) // WIDTH
        packed = struct.Struct(f"{len(values)}d").pack(*values)  # `pack_into` would have them copied twice to be its arguments
        while done < count:
            page, row = divmod(end, _PAGE)
            if page == len(self._pages):
                self._pages.append(_Page())
            fits = min(count - done, _PAGE - row)
            these = packed if fits == count else packed[_ROW * done : _ROW * (done + fits)]
            memoryview(self._pages[page].calls).cast("B")[_ROW * row : _ROW * (row + fits)] = these
            end += fits
            done += fits
        self._end = end  # all or, where Ctrl-C came, nothing

    def place(self, row: int) -> int:
        page, at = self._at(row)
        return int(page.calls[WIDTH * at + 2])

    def times(self, row: int) -> tuple[float, float]:
        """Start and end of a call."""
        page, at = self._at(row)
        return page.calls[WIDTH * at], page.calls[WIDTH * at + 1]

    def outcome(self, row: int) -> int:
        page, at = self._at(row)
        return 0 if page.plain else page.outcome[at]

    def change(self, row: int, place: int, outcome: int) -> None:
        """Say of a row that it may be no plain hit."""
        page, at = self._at(row)
        page.calls[WIDTH * at + 2] = place
        if outcome or not page.plain:
            page.detailed().outcome[at] = outcome

    def observe(self, row: int, seconds: float, how: int) -> None:
        """Say of a row how long its execution took."""
        page, at = self._at(row)
        page.detailed().execute_s[at] = seconds
        page.execute_how[at] = how

    def average(self, first: int, last: int, means: dict[int, float], calls: int) -> dict[int, int]:
        """Say of the hits among calls `first` to `last`, those at these places, that they took so many seconds in the mean of
        `calls` calls: of how many of each. What was said before stays."""
        import numpy as np

        first, said = max(first, self.first), dict.fromkeys(means, 0)
        for page, begin, end in self._parts(first - self.first, last + 1 - self.first):
            page.detailed()
            places = np.frombuffer(page.calls, "d")[WIDTH * begin + 2 : WIDTH * end : WIDTH]
            seconds, how = np.frombuffer(page.execute_s, "d")[begin:end], np.frombuffer(page.execute_how, "b")[begin:end]
            free = (how <= 0) & (np.frombuffer(page.outcome, "b")[begin:end] == 0)
            for place, mean in means.items():
                here = free & (places == place)
                seconds[here], how[here] = mean, AVERAGED
                said[place] += int(here.sum())
        if any(said.values()):
            self._averages.extend((first, last, calls, next(iter(means)) if len(means) == 1 else _ANY))
        if len(self._averages) > 4 * _AVERAGES:
            self._averages = self._averages[-4 * _AVERAGES // 2 :]
        return said

    def refuse(self, first: int, last: int, why: int) -> None:
        """Say of calls `first` to `last`, those that have no time, why they have none: a code, which is kept below zero where
        else it stands how the time was come by. What was said before is forgotten, and where a time is found, this."""
        if first == last:  # NumPy would take longer
            page, at = self._at(first - self.first)
            if page.detailed().execute_how[at] <= 0:
                page.execute_how[at] = -why
            return
        import numpy as np

        for page, begin, end in self._parts(max(first - self.first, 0), last + 1 - self.first):
            how = np.frombuffer(page.detailed().execute_how, "b")[begin:end]
            how[how <= 0] = -why

    def averaged_over(self, calls: Any, places: Any) -> Any:
        """Of each of these call numbers (ascending) and their places how many calls its span holds; 0 where it is in none."""
        import numpy as np

        over = np.zeros(len(calls), "i8")
        for first, last, count, place in np.array(self._averages, "i8").reshape(-1, 4):
            here = slice(np.searchsorted(calls, first), np.searchsorted(calls, last, "right"))
            over[here][(places[here] == place) | (place == _ANY)] = count
        return over

    def find(self, start: float, end: float) -> int | None:
        """The number of the call with these two times, the latest of its kind; None if it is not kept."""
        low, high = 0, len(self)
        while low < high:  # rows are nearly in the order of their ends: threads may append one a little late
            middle = (low + high) // 2
            page, at = self._at(middle)
            low, high = (middle + 1, high) if page.calls[WIDTH * at + 1] < end else (low, middle)
        for row in itertools.chain(range(low, min(low + _NEAR, len(self))), range(low - 1, max(low - _NEAR, 0) - 1, -1)):
            if self.times(row) == (start, end):
                return self.first + row
        return None

    def follows_no_hit(self, row: int) -> bool:
        """Whether the latest call at the same place before this one was no hit."""
        place = self.place(row)
        before = (at for at in range(row - 1, max(row - _FAR, 0) - 1, -1) if self.place(at) == place)
        latest = next(before, None)
        return latest is not None and self.outcome(latest) != 0

    def is_last(self, row: int) -> bool:
        """Whether no later call has the same place."""
        place = float(self.place(row))
        parts = self._parts(row + 1, len(self))
        return not any(place in page.calls[WIDTH * begin + 2 : WIDTH * end : WIDTH] for page, begin, end in parts)

    def timed(self) -> tuple[Any, Any, Any]:
        """Of every hit whose execution has a time its place, the seconds, and whether it was the first at its place after
        a call that was no hit, as NumPy columns."""
        import numpy as np

        places, times, firsts = [np.empty(0)], [np.empty(0)], [np.empty(0, bool)]
        waiting = np.empty(0)
        """Places whose latest call so far was no hit."""
        for page, begin, end in self._parts(0, len(self)):
            own = np.frombuffer(page.calls, "d")[WIDTH * begin + 2 : WIDTH * end : WIDTH]
            if page.plain:
                waiting = waiting[~np.isin(waiting, own)]
                continue
            outcome = np.frombuffer(page.outcome, "b")[begin:end]
            seen = (np.frombuffer(page.execute_how, "b")[begin:end] > 0) & (outcome == 0)
            first = np.zeros(len(own), bool)
            if len(waiting) or outcome.any():
                order = np.argsort(own, kind="stable")
                sorted_ = own[order]
                begins = np.flatnonzero(np.diff(sorted_, prepend=math.nan))  # where another place begins
                is_after = np.roll(outcome[order] != 0, 1)
                is_after[begins] = np.isin(sorted_[begins], waiting)
                first[order] = is_after
                last = order[np.roll(begins, -1) - 1]  # of each place, in this page
                waiting = np.union1d(waiting[~np.isin(waiting, own)], own[last][outcome[last] != 0])
            places.append(own[seen])
            times.append(np.frombuffer(page.execute_s, "d")[begin:end][seen])
            firsts.append(first[seen])
        return np.concatenate(places).astype("i8"), np.concatenate(times), np.concatenate(firsts)

    def move(self, places: dict[int, int]) -> None:
        """Give every call at one of these places another."""
        import numpy as np

        old = np.array(sorted(places), "d")
        new = np.array([places[int(place)] for place in old], "d")
        for page, begin, end in self._parts(0, len(self) if places else 0):
            column = np.frombuffer(page.calls, "d")[WIDTH * begin + 2 : WIDTH * end : WIDTH]
            found = np.minimum(np.searchsorted(old, column), len(old) - 1)
            rows = np.flatnonzero(old[found] == column)
            column[rows] = new[found[rows]]

    def drop_oldest(self, count: int) -> None:
        first = self.first + count
        whole, start = divmod(self._start + count, _PAGE)
        pages, end = self._pages[whole:], self._end - whole * _PAGE
        phases = {call: phases for call, phases in self.phases.items() if call >= first} if self.phases else {}
        self._pages, self._start, self._end, self.first, self.phases = pages, start, end, first, phases  # all or nothing

    def as_numpy(self, since: int = 0, until: int | None = None, executions: bool = True) -> dict[str, Any]:
        """The columns of rows `since` to `until` as NumPy copies: call started ended place outcome, and, unless nobody asks for
        `executions`, execute_s execute_how."""
        import numpy as np

        until = len(self) if until is None else until
        count = until - since
        columns: dict[str, Any] = {
            "call": np.arange(self.first + since, self.first + until),
            "started": np.empty(count),
            "ended": np.empty(count),
            "place": np.empty(count, "i8"),
            "outcome": np.zeros(count, "b"),
        }
        if executions:
            columns |= {"execute_s": np.full(count, math.nan), "execute_how": np.zeros(count, "b")}
        kept = [name for name in ("outcome", "execute_s", "execute_how") if name in columns]
        done = 0
        for page, begin, end in self._parts(since, until):
            here = slice(done, done + end - begin)
            rows = np.frombuffer(page.calls, "d").reshape(-1, WIDTH)[begin:end]
            for i, name in enumerate(("started", "ended", "place")):
                columns[name][here] = rows[:, i]
            if not page.plain:
                for name in kept:
                    columns[name][here] = getattr(page, name)[begin:end]
            done = here.stop
        return columns

    def phase_columns(self, since: int = 0) -> dict[str, Any]:
        """trace_s, lower_s and compile_s of the rows from `since` on as NumPy columns."""
        import numpy as np

        columns, first = np.full((3, len(self) - since), math.nan), self.first + since
        for call, phases in self.phases.items():
            if call >= first:
                columns[:, call - first] = phases
        return dict(zip(("trace_s", "lower_s", "compile_s"), columns, strict=True))

    def _at(self, row: int) -> tuple[_Page, int]:
        page, at = divmod(self._start + row, _PAGE)
        return self._pages[page], at

    def _parts(self, since: int, until: int) -> Iterator[tuple[_Page, int, int]]:
        """Rows `since` to `until` as (page, first row, end) within each page."""
        row, end = self._start + since, self._start + until
        while row < end:
            page, at = divmod(row, _PAGE)
            stop = min(_PAGE, at + end - row)
            yield self._pages[page], at, stop
            row += stop - at
