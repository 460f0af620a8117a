"""Which entries come by turns on a line: there a mean over calls of several tells of none."""

from __future__ import annotations

from collections import deque

_LATELY = 256
"""What came within so many calls comes by turns."""
_IN_ORDER = 64
"""Of so many it is known how often each entry comes."""


class Turns:
    """Of one line."""

    def __init__(self) -> None:
        self.entry = 0
        """That of the latest call."""
        self.in_order: deque[int] = deque(maxlen=_IN_ORDER)
        """Of the latest calls the entries, those aside between which some were not looked at."""
        self._calls = 0
        self._came: dict[int, int] = {}
        """By entry, when its turn began, counting calls."""
        self._turned = -_LATELY
        """Which call was the latest that came back to an entry of before."""
        self._changed = 0
        """The number of the latest call of another entry than the one before,"""
        self._runs = 0, 0
        """and how many calls there were from one such call to the next, the last two times."""
        self._here: list[int] = []
        self._here_at = -1
        """Up to which call that list holds: it is asked for some times at each."""

    @property
    def taken(self) -> bool:
        """Whether entries come by turns."""
        return self._calls - self._turned < _LATELY

    @property
    def longest_run(self) -> int:
        """How many calls of one entry came in a row of late."""
        return max(self._runs)

    def here(self) -> list[int]:
        """The entries whose turn began of late."""
        if self._here_at != self._calls:
            self._here = [entry for entry, call in list(self._came.items()) if self._calls - call < _LATELY]
            self._here_at = self._calls
        return self._here

    def came(self, entry: int, number: int, in_order: bool) -> None:
        """A call has returned, of this number on its line, `in_order` if those before were looked at, too."""
        self._calls += 1
        if in_order:
            self.in_order.append(entry)
        if entry == self.entry:
            return
        self.entry = entry
        self._changed, self._runs = number, (self._runs[1], number - self._changed)
        if self._calls - self._came.get(entry, -_LATELY) < _LATELY:
            self._turned = self._calls
        self._came[entry] = self._calls

    def drop(self, entry: int) -> None:
        """An entry is no more. Any thread may say so."""
        self._came.pop(entry, None)
        self._here_at = -1
