"""Callers that read each tenth result or so: how many calls there are from one rest of the device to the next, and so which is
the last before it rests. That one's end tells most, as the calls between two rests are all its own."""

from __future__ import annotations

import weakref
from collections import deque
from typing import Any, NamedTuple

_OF_LATE = 4


class Begun(NamedTuple):
    """When a line began to work, and through how many calls since then."""

    start: float
    calls: int


class Rests:
    """Of one line. Nothing is held."""

    def __init__(self) -> None:
        self._output: weakref.ref[Any] | None = None
        """Of the call that was noted last."""
        self._number = 0
        self._first: tuple[int, float] | None = None
        """The number and the start of the latest call that found its line at rest."""
        self._calls: deque[int] = deque(maxlen=_OF_LATE)
        """How many there were from one such call to the next."""
        self.chosen = False
        """A call since then was taken for the last before a rest."""

    def before(self, number: int) -> Any | None:
        """What tells whether the call before this one has ended."""
        return self._output() if self._output is not None and self._number == number - 1 else None

    def note(self, array: Any, number: int) -> None:
        self._output, self._number = weakref.ref(array), number

    def found(self, number: int, start: float) -> None:
        """This call found its line at rest."""
        if self._first is not None:
            self._calls.append(number - self._first[0])
        self._first, self.chosen = (number, start), False

    def forget(self) -> None:
        """Calls are not noted for a while."""
        self._output = self._first = None

    def choose(self, number: int) -> Begun | None:
        """Since when its line has been at work, if this call may be the last before a rest: there were no more of late."""
        if self._first is None or self.chosen or not self._calls:
            return None
        first, start = self._first
        calls = number - first + 1
        if calls < max(self._calls):
            return None
        self.chosen = True
        return Begun(start, calls)
