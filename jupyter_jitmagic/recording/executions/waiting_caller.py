"""Calls whose caller waits for each of them, and so sees them end itself: when it comes back to make the next one.

What is done while an execution runs lengthens it where it uses all processors, in whatever thread that is: by a tenth, if it
lasts a millisecond. So of each call is noted only what cannot be had later; what follows from it is worked out for many.

That a caller came back says that its result was there, not since when. The result is what it had waited for if from call to
call it used hardly any CPU time and gave up the processor once: one that sleeps as well, or waits for a lock, does so more
often. And now and then the waiter sees an end: for this to go on the caller has to be back at once (`Pace.returned`). Where a
call lasts longer than usual the waiter has a look as well: either the execution does, and the caller still waits for it, or the
caller does something else by now.
"""

from __future__ import annotations

import contextlib
import math
from threading import get_ident
from typing import Any

import jax

from jupyter_jitmagic.base.arrays import is_ready
from jupyter_jitmagic.base.jax_internals import CONCRETE_ARRAY, told_by
from jupyter_jitmagic.recording import hot_path
from jupyter_jitmagic.recording.executions import observation
from jupyter_jitmagic.recording.executions.scheduling import Account, account
from jupyter_jitmagic.recording.executions.sightings import LATE, RETURNS, TOLERANCE, Pace, Sighting
from jupyter_jitmagic.recording.executions.waiter import (
    Awaited,
    another_output,
    smallest_output,
    stop_watching,
    waiter,
    watching,
)
from jupyter_jitmagic.recording.hot_path import Detail
from jupyter_jitmagic.records.log import HIT

AT_ONCE, FEW_AT_ONCE = 64, 16
"""For so many calls nothing is worked out, the fewer while little is known of their executions."""
_PATIENCE, _PATIENCE_S = 0.25, 3e-3
"""For so many times the expected time or so many seconds more a caller is waited for, whichever is longer, before the waiter
has a look. Its output's memory is held no longer if it has ended by then."""
_AGAIN, _AGAIN_S = 0.04, 2e-4
"""It looks again after this share of the time that has passed, and after so many seconds."""


class Returning(Awaited):
    """Calls of one entry by one thread, `count` at most."""

    def __init__(self, entry: int, pace: Pace, count: int, expected_s: float, cold: bool) -> None:
        """
        Args:
            expected_s: how long the execution took that the waiter saw last, or usually takes.
            cold: the first of these calls only tells when the device was free for the second.
        """
        super().__init__(None)
        self.entry = entry
        self.left = count
        self._pace = pace
        self._expected_s = expected_s
        self._cold = cold
        self._row: tuple[Detail, float] | None = None
        """The call whose end was not seen yet, and its start."""
        self._ran = -math.inf
        """When the waiter saw that it had not ended."""
        self._had: Account | None = None
        self._had_then: Account | None = None
        """What the caller's thread has had, after it made a call and before it made the next."""
        self._taken = self._told = 0
        """How many calls were noted, and of how many it could be told when they ended."""
        self._goes_on = True
        """The caller waits for each, so far."""
        self._places: list[int | None] | None = None
        """Which of its entry's outputs are looked at."""
        self._seen: list[tuple[Detail, float, float, float]] = []
        """Of each call its start, and between which times it ended."""

    def overdue(self, now: float) -> None:
        array, row = self.array, self._row
        if array is None or row is None or self.until >= now:  # its caller is back
            return
        if is_ready(array) is False:
            self.until = now + max(_AGAIN * (now - row[1]), _AGAIN_S)
            self._ran = now  # where its caller has come back in between and made another call this is before that began
        else:
            super().overdue(now)

    def output(self) -> Any | None:
        self._had_then = account()
        output = super().output() if self.array is not None else None
        self.array = self._beside = None  # its memory is for the next call
        return output

    def take(self, start: float, end: float, out: Any, entry: int) -> bool:
        """Note a call that has just returned; False where nothing would come of it, as where its caller does not wait."""
        if entry != self.entry or not self.left or self.caller != get_ident() or not self._saw_the_last():
            return False
        array, other = self._outputs(out)
        if array is None or is_ready(array) is not False:
            return False
        self.left -= 1
        self._taken += 1
        detail = Detail(self.entry, HIT)
        hot_path.append(start, end, detail)
        self._row, self._ran = (detail, start), -math.inf
        self.until = start + self._expected_s + max(_PATIENCE * self._expected_s, _PATIENCE_S)
        self.array, self.peeked = array, math.inf
        self.beside(other)
        if self not in watching:
            watching.append(self)
            _active.append(self)
        waiter.hold()  # now that it can be found
        self._had = account()
        return True

    def _outputs(self, out: Any) -> tuple[Any | None, Any | None]:
        """What is held of a call, and what else its caller may look at. Where they stand is worked out once: it takes long."""
        if type(out) is CONCRETE_ARRAY:
            return out, None
        leaves = jax.tree_util.tree_leaves(out)
        if self._places is None:
            array = smallest_output(out)
            pair = array, None if array is None else another_output(out, array)
            self._places = [next((i for i, leaf in enumerate(leaves) if told_by(leaf) is each), None) for each in pair]
        array, other = (None if place is None else told_by(leaves[place]) for place in self._places)
        return array, other

    def _saw_the_last(self) -> bool:
        """Note when the last call ended; False where its caller may do something else by now."""
        row, self._row = self._row, None  # once: another thread that calls this function ends this row
        if row is None or not self._goes_on:
            return self._goes_on
        (detail, start), ran, self._goes_on = row, self._ran, False
        if not math.isfinite(self.peeked):
            return False  # it did not wait for this one
        if self._had is None or self._had_then is None or self._had.thread != self._had_then.thread:
            return False  # that thread has ended, and another one has its number now
        before, lasted = max(start, ran), self.peeked - start
        had = self._had.until(self._had_then)
        self._goes_on = lasted <= LATE * self._expected_s or self.peeked - ran <= TOLERANCE * lasted
        if had.waits == 1 and self._goes_on:
            before = max(before, self.peeked - had.late_s)
        self._told += self.peeked - before <= TOLERANCE * lasted
        self._seen.append((detail, start, before, self.peeked))  # if not how long it took, when the device was free
        return self._goes_on

    def done(self) -> None:
        """No more calls: work out what was seen."""
        self.left = 0
        stop_watching(self)
        at_once = self._saw_the_last()
        self._pace.returned = min(self._pace.returned, RETURNS - 1) if at_once else 0  # the waiter has to agree once more
        self._pace.told_from_caller(self._told, self._taken)
        self.array, self._row = None, None
        self.hand_over()
        _forget(self)

    def hand_over(self) -> None:
        """Work out what was seen so far."""
        seen, self._seen = self._seen, []
        for detail, start, before, after in seen:
            sighting = Sighting(None, start, start)
            sighting.by_caller = True
            sighting.cold, self._cold = self._cold, False
            sighting.seen(before, after)
            observation.follow(detail, sighting)


_active: list[Returning] = []
"""Those that may have seen something."""


def _forget(returning: Returning) -> None:
    with contextlib.suppress(ValueError):  # another thread was quicker
        _active.remove(returning)


def hand_over() -> None:
    """Work out what was seen so far of all calls."""
    for returning in tuple(_active):
        returning.hand_over()
        if returning not in watching:
            _forget(returning)
