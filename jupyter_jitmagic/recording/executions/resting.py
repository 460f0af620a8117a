"""Whether a caller lets the device rest each few calls, as where it waits for every tenth, or once in an epoch."""

from __future__ import annotations

from jupyter_jitmagic.recording.executions.lanes import Lane, Numbered
from jupyter_jitmagic.recording.executions.rests import BEGINS

_RESTLESS, _FAR, _FAR_REST, _MISSED = 2, 128, 0.3, 4
"""So many rests near each other are not the last. They may be as far from each other as so many calls if all are equally far,
and the device rests for such a share of the time at least; up to so many in a row may be missed."""


class Resting:
    """Of all lines, which have one caller mostly.

    Args:
        near: rests are near each other where so many calls, or fewer, lie between.
    """

    def __init__(self, near: int) -> None:
        self._near = near
        self._rests = 0
        self.is_each_few_calls = False

    def found(self, call: Numbered, now: float, is_after_a_pause: bool = False) -> None:
        """A call found its line at rest: one that has just begun a loop does so, too. After a pause in which none was looked at
        nobody knows how many calls there were since another did."""
        lane = call.lane
        calls, lasted_s = call.number - lane.rested_at, now - lane.rested
        if BEGINS * calls <= lane.rest_after:
            return
        far = calls == lane.rest_after <= _FAR and (1 - _FAR_REST) * lasted_s > calls * lane.each_s > 0.0
        if far or lasted_s < self._near * lane.each_s:
            self._rests += 1
            lane.restless_at = call.number
        lane.rested, lane.rested_at = now, call.number
        if not is_after_a_pause:
            lane.rest_after = calls

    def look(self, lane: Lane) -> None:
        """Decide, going by the rests that were near each other."""
        if self._rests >= (1 if self.is_each_few_calls else _RESTLESS):
            self.is_each_few_calls, self._rests = True, 0
            lane.rests.expect(lane.rest_after)
        elif lane.number - lane.restless_at > max(_FAR, _MISSED * min(lane.rest_after, _FAR)):
            self.is_each_few_calls, self._rests = False, 0
