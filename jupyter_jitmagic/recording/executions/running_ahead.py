"""Callers that run ahead of the device, as training loops do: of whatever function, two ends seen some calls apart tell
the mean of the calls between.

The waiter waits for one output, and when that is there for the newest that was made meanwhile (JAX's CPU client lets a
caller run 32 calls ahead, so it wakes once in some 32 calls). Two outputs are held at most, three where entries come by
turns, one where they are large: holding more slows the caller down. What follows from the ends is for `busy_spans` to say.
"""

from __future__ import annotations

import math
from collections import deque
from time import perf_counter
from typing import Any, NamedTuple

import jax

from jupyter_jitmagic.recording import hot_path
from jupyter_jitmagic.recording.executions.waiter import OutputWatch, smallest_output, waiter

WORTH_S = 2e-4
"""Calls of loops whose executions are at least this long are settled one by one; it costs some microseconds each."""
_LARGE_BYTES = 1 << 20
_RESTLESS = 3
WORTH_RESTLESS_S = 2e-3
"""Shorter ones are left to samples where the device rests each few calls: to begin anew costs their caller too much."""
_IDLE_CALLS = 16
"""After so many calls in a row that found the device at rest their caller does not run ahead."""
_LOOK_EVERY = 64
_FIRST, _STEP = 0.8, 0.02
_JUDGE_AT, _JUDGE_LATER = 24, 512
_TURNS = 256

Line = frozenset[Any]
"""The devices that work through what they are given in its order."""


class Ended(NamedTuple):
    """A call, told by its two times, and between which times its execution ended."""

    start: float
    end: float
    before: float
    after: float
    line: Line


ends: deque[Ended] = deque()
"""Seen, and not judged yet."""
lines: dict[int, Line] = {}
"""Of each entry that ran ahead."""


class _Link(OutputWatch):
    """The one call that is waited for."""

    is_second = False

    def __init__(self, array: Any, start: float, end: float, line: Line, owner: RunningAhead) -> None:
        super().__init__(array, start)
        self._call = start, end, line
        self._owner = owner
        self._since = perf_counter()

    def pause_s(self, now: float) -> float:
        """Few questions: most of the time that such an end was waited for lately has passed before the first."""
        usual = self._owner.usual_s[self.is_second]
        waited = now - self._since
        return max(_FIRST * usual - waited, _STEP * max(usual, waited))

    def ended(self) -> None:
        if math.isfinite(self.after):
            self._owner.note_wait(self.is_second, self.before - self._since)
            start, end, line = self._call
            ends.append(Ended(start, end, self.before, self.after, line))
        self._owner.go_on()


class RunningAhead:
    """All calls of callers that run ahead, one after the other."""

    def __init__(self) -> None:
        self._waited: _Link | None = None
        self._newest: tuple[Any, float, float, Line] | None = None
        """What is waited for next."""
        self._second: tuple[Any, float, float, Line] | None = None
        """The call after the one that is waited for: with its end it is known how long it took by itself."""
        self.usual_s = [0.0, 0.0]
        """How long ends were waited for lately: of any call, and of the one after it."""
        self._entry = 0
        self._turned = -_TURNS
        """Which call was the latest of another entry than the one before: where entries come by turns a mean tells of none."""
        self._places: dict[int, int] = {}
        """By entry, which of its outputs is the smallest."""
        self._idle = 0
        self._taken = 0
        self._judge_at = _JUDGE_AT
        self._rests = 0
        self.restless = False
        """Of the latest calls several found the device at rest, as where the caller waits for every tenth."""

    def take(self, start: float, end: float, out: Any, entry: int) -> bool:
        """Note a hit that has just returned; False where nothing comes of it: its caller does not run ahead, or it has no
        output that tells when it is there."""
        array = self._output(out, entry)
        if array is None:
            return False
        waited = self._waited
        self._idle = self._idle + 1 if waited is None else 0
        if self._idle > _IDLE_CALLS:
            return False
        line = lines.get(entry)
        if line is None:
            line = lines[entry] = frozenset(array.devices())
        hot_path.append_hit(start, end, entry)
        if entry != self._entry:
            self._entry, self._turned = entry, self._taken
        if waited is None:
            self._rests += 1
            self._wait(array, start, end, line)
        elif array.nbytes <= _LARGE_BYTES:
            if self._second is None and not waited.is_second and self._taken - self._turned < _TURNS:
                self._second = array, start, end, line
            else:
                self._newest = array, start, end, line
            if self._waited is None:  # the waiter was about to go to sleep
                self.go_on()
        self._taken += 1
        if self._taken % _LOOK_EVERY == 0:
            self.restless, self._rests = self._rests >= _RESTLESS, 0
            hot_path.full_at(end)
        return True

    @property
    def due(self) -> bool:
        """Whether it is time to judge what was seen: soon at first, then seldom, as that takes time from the caller."""
        if len(ends) < self._judge_at:
            return False
        self._judge_at = min(2 * self._judge_at, _JUDGE_LATER)
        return True

    def note_wait(self, is_second: bool, least_s: float) -> None:
        """An end was not there yet so many seconds after it began to be waited for."""
        usual = self.usual_s[is_second]
        self.usual_s[is_second] = (usual + max(least_s, 0.0)) / 2 if usual else max(least_s, 0.0)

    def begin(self) -> None:
        """A caller was seen to run ahead."""
        self._idle = 0

    def go_on(self) -> None:
        """Wait for the newest, if there is one. Called in the waiter's thread as well."""
        second, self._second = self._second, None
        if second is not None:
            self._wait(*second, is_second=True)
            return
        newest, self._newest = self._newest, None
        if newest is None:
            self._waited = None
            newest, self._newest = self._newest, None  # made between the two lines
        if newest is not None:
            self._wait(*newest)

    def forget(self) -> None:
        """Hold nothing any longer."""
        self._newest = self._second = self._waited = None

    def _wait(self, array: Any, start: float, end: float, line: Line, is_second: bool = False) -> None:
        self._waited = link = _Link(array, start, end, line, self)
        link.is_second = is_second
        waiter.look(link)

    def _output(self, out: Any, entry: int) -> Any | None:
        """As `smallest_output`, which is asked once for each entry."""
        place = self._places.get(entry)
        if place is not None:
            leaves = jax.tree_util.tree_leaves(out)
            return leaves[place] if place < len(leaves) else None
        array = smallest_output(out)
        if array is not None:
            self._places[entry] = next(i for i, leaf in enumerate(jax.tree_util.tree_leaves(out)) if leaf is array)
        return array

    def drop(self, entry: int) -> None:
        """An entry is no more."""
        self._places.pop(entry, None)
        lines.pop(entry, None)


ahead = RunningAhead()
