"""Which hits of one function are watched to their end, and when the next one is due."""

from __future__ import annotations

import math
import time
from typing import Any

import jax

from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.recording import hot_path
from jupyter_jitmagic.recording.compiles import spans
from jupyter_jitmagic.recording.executions import observation, waiting_caller
from jupyter_jitmagic.recording.executions.running_ahead import RunningAhead, ahead
from jupyter_jitmagic.recording.executions.scheduling import TELLS
from jupyter_jitmagic.recording.executions.sightings import Pace, Sighting, blocked, pace_of, watch
from jupyter_jitmagic.recording.executions.waiter import Beginning, drop_outdated
from jupyter_jitmagic.recording.executions.waiting_caller import AT_ONCE, FEW_AT_ONCE, Returning
from jupyter_jitmagic.recording.hot_path import Detail
from jupyter_jitmagic.records.log import HIT

_OVERTAKEN = 2
"""After so many calls in a row that had not ended when the next was made their caller runs ahead."""


class HitWatching:
    """Of one function.

    Args:
        timing: how its executions are measured, if not as `jm.options.timing` says.
    """

    def __init__(self, timing: str | None) -> None:
        self._follower: Returning | RunningAhead | None = None
        """What takes the next calls without a closer look: their caller sees the ends itself, or runs ahead of them."""
        self._timing = timing
        self._row = 0
        """How many calls were watched just before, of those that are watched in a row."""
        self._from = float("-inf")
        """Until when none is watched."""

    @property
    def mode(self) -> str:
        return self._timing or options.timing

    @property
    def follows(self) -> bool:
        """Whether `take` is to be asked before anything else is looked at."""
        return self._follower is not None

    def take(self, start: float, end: float, out: Any, entry: int, is_only: bool) -> float | None:
        """Note one more hit that is like those before: until when none need be looked at; None if this one has to be looked
        at as any other.

        Args:
            is_only: whether the function has no other entry.
        """
        follower = self._follower
        if follower is None or not follower.take(start, end, out, entry):
            return None
        if follower is ahead and (some := ahead.some_due(entry)):
            hot_path.fold()
            observation.judge_some(some)
        if follower is ahead and ahead.due(entry):
            _judge()
            if not ahead.is_worth(entry, pace_of(entry).seconds):
                self.stop_following()
        pause_s = ahead.pause_s(entry, is_only) if self._follower is ahead else 0.0
        return min(end + pause_s, hot_path.full_at(end)) if pause_s else -math.inf

    def stop_following(self) -> None:
        """The next call is another one, or its caller does otherwise."""
        follower, self._follower = self._follower, None
        if isinstance(follower, Returning):
            follower.done()
        elif follower is not None:
            self._from = -math.inf  # its next loop may begin any moment

    def hit(self, start: float, end: float, out: Any, entry: int) -> float:
        """Append the row of a hit and watch its execution if that is due; until when no hit need be looked at."""
        mode = self.mode
        drop_outdated(end)
        pace = pace_of(entry)
        waited = spans.compiled_until > start  # perhaps: JAX lets calls wait for another thread that compiles what they need
        observes = mode == "observe" and end >= self._from and not waited
        judges = observes and pace.due()
        sighting = None
        if observes and not (judges and pace.short):
            if ahead.is_company(entry) and self._follow(start, end, out, entry, pace):
                return float("-inf")
            if pace.each or self._row:
                pace.note_next(start, end)
                if pace.overtaken >= _OVERTAKEN and self._run_ahead(start, end, out, entry, pace):
                    return float("-inf")
                if pace.returns and TELLS and self._wait_for_caller(start, end, out, entry, pace):
                    return float("-inf")
            sighting = watch(out, start, start, end, pace)
        elif mode == "block":
            sighting = _blocked(out, start, max(start, spans.compiled_until))
        if sighting is None:
            hot_path.append_hit(start, end, entry)
        else:
            if observes and not pace.each:
                sighting.by_the_clock, sighting.cold = self._row == 0, self._row == 1
            observation.append(start, end, Detail(entry, HIT), sighting)
        latest = pace.latest  # once: another thread may forget it meanwhile
        if sighting is not None or latest is None or math.isfinite(latest.seen_s):
            pace.latest = sighting  # else those before, which have not ended, leave no room for this one
        if judges:
            _judge()
        gate = hot_path.full_at(end)
        if mode == "block":
            return float("-inf")
        if mode == "observe":
            if observes:
                pause_s = self._pause_s(pace, sighting is not None)
                self._from = end + pause_s
                pace.beginning = Beginning(end) if not pause_s and sighting is not None and sighting.at_return else None
            gate = min(gate, self._from)
        return gate

    def compiled(self, out: Any, ended: float, end: float) -> Sighting | None:
        """See the end of a call that compiled until `ended`."""
        mode = self.mode
        if mode == "block":
            return _blocked(out, ended, end)
        return watch(out, ended, end, end) if mode == "observe" else None

    def _run_ahead(self, start: float, end: float, out: Any, entry: int, pace: Pace) -> bool:
        """From this call on go by what runs ahead; False if that does not work."""
        pace.overtaken = 0
        ahead.begin()
        return self._follow(start, end, out, entry, pace)

    def _follow(self, start: float, end: float, out: Any, entry: int, pace: Pace) -> bool:
        if not ahead.is_worth(entry, pace.seconds) or not ahead.take(start, end, out, entry):
            return False
        self._follower, pace.latest, self._row = ahead, None, 0
        return True

    def _wait_for_caller(self, start: float, end: float, out: Any, entry: int, pace: Pace) -> bool:
        """From this call on have the caller see the ends itself; False if that does not work."""
        latest = pace.latest
        if latest is None:
            return False
        count = pace.in_a_row - self._row
        expected_s = min(latest.seen_s - latest.start, pace.seconds or math.inf)
        if pace.each:
            count = AT_ONCE if pace.known else FEW_AT_ONCE
        returning = Returning(entry, pace, count, expected_s, cold=self._row == 1)
        if not returning.take(start, end, out, entry):
            return False
        self._follower, pace.latest = returning, None
        pace.tries += 1
        if not pace.each:
            pace.watched += count
            self._row = 0
            self._from = end + pace.pause_s()
        return True

    def _pause_s(self, pace: Pace, watched: bool) -> float:
        """For how long no call is watched. Short ones are watched a few in a row."""
        pace.tries += 1
        if pace.each:
            self._row = 0
            return 0.0
        pace.watched += watched
        if pace.overtaken:  # one more decides whether its caller runs ahead
            self._row = 1
            return 0.0
        self._row = (self._row + 1) % pace.in_a_row if watched or self._row else 0
        return 0.0 if self._row else pace.pause_s()


def _judge() -> None:
    """Work out what was seen so far, now that there is time for it."""
    waiting_caller.hand_over()
    hot_path.fold()
    observation.judge(goes_on=True)


def _blocked(out: Any, start: float, latest: float) -> Sighting | None:
    """Wait for the call's outputs. An error of the computation surfaces later, where JAX raises it."""
    leaves = [leaf for leaf in jax.tree_util.tree_leaves(out) if isinstance(leaf, jax.Array) and hasattr(leaf, "is_ready")]
    try:
        for leaf in leaves:
            leaf.block_until_ready()
    except Exception:
        return None
    return blocked(start, latest, time.perf_counter()) if leaves else None
