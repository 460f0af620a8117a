"""Lines of devices that are given calls more quickly than they work through them, and what is known of each."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Protocol

from jupyter_jitmagic.recording.executions.alone import are_known
from jupyter_jitmagic.recording.executions.held_back import HeldBack
from jupyter_jitmagic.recording.executions.rests import Rests
from jupyter_jitmagic.recording.executions.turns import Turns

LARGE_BYTES = 1 << 20

WORTH_RESTLESS_S = 2e-3
"""Where the device rests each few calls and they are shorter it is begun anew after a lap of so many calls, and not each time:
that costs their caller too much."""
_AT_ONCE, _FRESH, _BY_RETURNS = 80, 16, 100
"""After so many that were seen alone in a row comes a pause, as it takes something from their caller: after fewer where it is
known well what those of each entry take, or after so many where their own returns tell, but for the first 32."""
_UNSEEN = 12
"""It is twice as long, and at most such a part of the loop so far: of the last calls in one nothing is known."""
IN_A_ROW = 8
"""So many outputs are waited for one after the other; then after pauses."""

Line = frozenset[Any]
"""The devices that work through what they are given in its order."""


class Numbered(Protocol):
    """A call, as far as it is known which of its line's it is."""

    @property
    def lane(self) -> Lane: ...
    @property
    def number(self) -> int: ...


class Call(NamedTuple):
    """One that has returned: an output, its two times, its entry, and which of its line's calls it is."""

    array: Any
    start: float
    end: float
    entry: int
    place: int
    """Of the output among the call's."""
    nbytes: int
    lane: Lane
    number: int
    work: float
    """How long the line may be expected to have worked when it ends."""

    @property
    def is_large(self) -> bool:
        return self.nbytes > LARGE_BYTES

    def follows(self, other: Numbered | None) -> bool:
        return other is not None and other.lane is self.lane and other.number == self.number - 1


class SeenLast(NamedTuple):
    """Which call of a line was seen to end last, and when."""

    number: int = 0
    work: float = 0.0
    when: float = -math.inf


class Lane:
    """What a line was given, and what it is known to have done."""

    def __init__(self, line: Line, now: float) -> None:
        self.line = line
        self.number = 0
        """Of the latest call."""
        self.work = 0.0
        self.newest: Call | None = None
        """What is waited for next."""
        self.seen = SeenLast()
        self.each_s = 0.0
        """How long a call takes, roughly and rather less: who asks too late learns nothing."""
        self.lap_s = 0.0
        """How long an end was waited for lately."""
        self.began = self.latest_s = now
        """When its first call that was taken, and the latest, returned."""
        self.held = 0
        """How many of the latest returned as slowly as if they had waited for the device, one after the other."""
        self.caller = 0
        """The thread that made the latest."""
        self.bursts = False
        """It is handed calls far more quickly than it works through them, as where its caller has just begun a loop."""
        self.begun = 0
        """Which call was the latest that found it at rest, where its outputs are not large."""
        self.rows = 0
        """How many rows there were, of all lines, at the latest call that was taken."""
        self.pauses = False
        """Calls may have come since that were not."""
        self.again = -math.inf
        """From when on a call that finds it at rest is waited for again."""
        self.in_a_row = 0
        """How many outputs were waited for since it was at rest."""
        self.next_from = -math.inf
        """From when on another one is: many in a row tell enough."""
        self.rests = Rests()
        self.held_back = HeldBack()
        self.turns = Turns()
        self.rested, self.rested_at, self.rest_after = -math.inf, 0, 0
        """When a call was last seen to find it at rest, which, and how many after the one before."""
        self.restless_at = 0
        """Which call was the latest of those that did so soon after another."""
        self.joined = self.looks_from = 0
        """How many of its calls were seen alone, or are about to be, since this one, from which on some in a row are."""
        self.waited = 0
        """When it was waited for, counting all waits: the lane that was not for longest has its turn."""

    @property
    def knows(self) -> bool:
        """It is known well what calls of each entry take that came of late."""
        return are_known(self.turns.here())

    @property
    def looks(self) -> bool:
        """Calls are to be seen alone where entries come by turns: some in a row, fewer once it is known well what those of each
        take, which may change while all together take as long as before."""
        if self.held_back.holds:
            return not self.knows or self.number - self.looks_from < _BY_RETURNS
        return self.joined < (_FRESH if self.knows else _AT_ONCE)

    def lets_by(self, number: int) -> int:
        """How many calls come in the pause after this one's end, where entries come by turns."""
        calls = min(2 * (number - self.looks_from), (number - self.begun) // _UNSEEN)
        return max(calls, 0) if self.knows else 0

    def has_rested(self) -> None:
        """Its calls are new to nobody where many were seen before; where they are short each look takes much from them."""
        self.in_a_row = min(self.in_a_row, IN_A_ROW) if self.each_s < WORTH_RESTLESS_S else 0

    def due(self, call: Call) -> float:
        """When this call may be expected to have ended, if the line never rests."""
        return max(self.seen.when, self.began) + call.work - self.seen.work
