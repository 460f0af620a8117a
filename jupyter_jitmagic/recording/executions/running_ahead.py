"""Callers that run ahead of the device, as training loops do: of whatever function, two ends seen some calls apart tell
the mean of the calls between.

The waiter waits for one output, and when that is there for the newest that was made meanwhile (JAX's CPU client lets a
caller run 32 calls ahead, so it wakes once in some 32 calls). Two outputs are held at most, and one where they are large:
holding more slows the caller down. Where the device rests each few calls and these are short, as where their caller reads each
tenth result, only the last call before such a rest is waited for, and only of some (`rests`). Where entries come by turns such
a mean tells of none: there some calls in a row are watched as well, of which each that follows another shows how long it took
by itself; their outputs, which have to be small, are held until then. What follows from the ends is for `busy_spans` to say.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import fmean
from threading import RLock, get_ident
from time import perf_counter
from typing import Any

from jupyter_jitmagic.base.arrays import is_ready
from jupyter_jitmagic.recording import hot_path
from jupyter_jitmagic.recording.executions.alone import Alone, well_known
from jupyter_jitmagic.recording.executions.held_back import untold
from jupyter_jitmagic.recording.executions.lanes import IN_A_ROW, LARGE_BYTES, WORTH_RESTLESS_S, Call, Lane, Line, SeenLast
from jupyter_jitmagic.recording.executions.links import COMES, Link, seen
from jupyter_jitmagic.recording.executions.outputs import Outputs
from jupyter_jitmagic.recording.executions.resting import Resting
from jupyter_jitmagic.recording.executions.rests import Begun
from jupyter_jitmagic.recording.executions.scheduling import account
from jupyter_jitmagic.recording.executions.waiter import waiter, watching

WORTH_S = 2e-4
"""Calls of loops whose executions are at least this long are settled one by one; it costs some microseconds each."""
_LONG_REST = 0.07
"""Where the device rests for a larger share of a loop nothing can be told of the loops beside those that are looked at,"""
_APART_S = 7.5e-3
"""and the last call of each is waited for, but of those that last so long together of one: a look takes some 0.1 ms."""
_LAP, _LONG_LAP = 32, 64
_ANOTHER_S = 0.1
"""A loop that begins so long after the end of a pause is another one."""
_IDLE_CALLS = 8
"""After so many calls in a row that found the device at rest their caller does not run ahead."""
_RISES = 2
"""Calls are thought to take so many times as long at most after one that found its line at rest: it may have had other work."""
_OF_ONE = 1 / 32
"""What one call by itself, the first of a loop, counts beside what is known of many. Of large outputs none else may be seen."""
_LOOK_EVERY = 64
_LONG_PAUSE_S = 8e-3
"""For longer no call is let by where a large output is held: calls may be shorter than they were."""
_RARER, _RAREST, _RAREST_S = 1 / 4, 4.0, 0.2
"""Where many outputs were waited for in a row there are pauses, each of which is longer by such a share of a lap, up to so many
laps, or seconds where these are more: that is enough to know what calls take, and costs their caller next to nothing."""
_SOME, _MANY = 2, 16
"""So many ends are judged at a time: for longer the device would soon have nothing to do, and where its outputs are large their
memory would be given back meanwhile, to be asked for anew. Of short calls many: their caller is far ahead, and the first end
costs as much as several others, as nothing that is needed for it is in the processor's caches."""
_JUDGE_AT, _JUDGE_LATER = 24, 512
_JUDGEMENT_S, _LATE = 8e-3, 4
"""A judgement may last so long, and is put off while the device has less to do, but not for more than so many times what is
judged at a time."""
_ROW = 40
"""So many outputs are held to see calls alone, as many as a caller is ahead; together no more bytes than a large one has."""
_BESIDE = 3
"""After so many calls in a row that ran beside their line none of that entry is taken any more."""
_RUN = 8
"""So many calls of one entry before one of another are enough to see their mean by themselves."""
_PAUSE = 1 / 4
"""Of a lap, from one end to the next: a call that is so much older does as well."""
_BURST = 0.5
"""Calls from one to the next of which less of an execution passes are a burst: after a pause it would be over."""
_TRY_RETURNS = 256, 2048
"""Where returns do not tell how long calls take it is tried again for so many of so many calls."""
_BEGINS = 16
"""So many calls of a loop that has just begun are all looked at: one of them may be slow, and is no end of a burst."""
_AHEAD, _HELD, _HELD_ROW = 16, 0.5, 2
"""Where after so many calls of a loop some returned after such a share of an execution, so many in a row, their caller is as
far ahead as it may be, and waits for the device. The first calls after a pause are slow as well."""
_SELDOM = 8
"""Whose time is known well is looked at once in so many times where that of others is not."""

lines: dict[int, Line] = {}
"""Of each entry that ran ahead."""


class RunningAhead:
    """All calls of callers that run ahead, one after the other."""

    def __init__(self) -> None:
        self.lock = RLock()
        self._waited: Link | None = None
        self._lanes: dict[Line, Lane] = {}
        self._row: deque[Call] = deque()
        """Calls whose ends are seen next, and those of the calls before each."""
        self._waits = 0
        self._alone = Alone()
        self._least: dict[int, float] = {}
        """By entry, how long such a call takes by itself, at least."""
        self._beside: dict[int, int] = {}
        """By entry, how many of its calls in a row ran beside their line."""
        self._outputs = Outputs()
        self._idle = 0
        self._taken = 0
        self._judge_at, self._unjudged = _JUDGE_AT, 0
        self._at_a_time = _SOME
        self._resting = Resting(_LOOK_EVERY)

    def take(self, start: float, end: float, out: Any, entry: int) -> bool:
        """Note a hit that has just returned; False where nothing comes of it: its caller does not run ahead, or it has no
        output that tells when it is there."""
        array, place = self._outputs.to_look_at(out, entry)
        if array is None:
            return False
        with self.lock:
            waited = self._waited
            if waited is not None and waited.is_large and waited.array is None and waited.peeked != math.inf:
                waited.ended()
            line = lines.get(entry)
            if line is None:
                line = lines[entry] = frozenset(array.devices())
                self._judge_at = _JUDGE_AT
            if self._runs_beside(array, line, entry):
                return False
            lane = self._lanes.get(line)
            if lane is None:
                lane = self._lanes[line] = Lane(line, perf_counter())
            waited = self._waited
            if waited is not None and not waited.lingers:
                ready = _is_ready_by_now(waited)
                if ready:
                    waited.found_over(perf_counter())
                    waited.lane.has_rested()
                    waited.lane.next_from = -math.inf
                elif ready is None:
                    waited.found_gone()
                waited = self._waited
            if waited is not None:
                self._idle = 0
                waited.have_caller_ask()
            elif self._idle >= _IDLE_CALLS:
                return False
            elif end >= lane.next_from and not (self._resting.is_each_few_calls and (end < lane.again or lane.rests.lets_by())):
                self._idle += 1  # before, nothing is waited for on purpose
            away_s = start - hot_path.latest_end()
            hot_path.append_hit(start, end, entry)
            since_s = end - lane.latest_s
            lane.bursts = since_s < _BURST * lane.each_s
            lane.latest_s, lane.caller = end, get_ident()
            rows, lane.rows = lane.rows, hot_path.appended()
            # in a pause nothing comes by turns, but on several lines
            calls = max((lane.rows - rows) // len(self._lanes), 1) if lane.pauses else 1
            is_held = end - start > _HELD * lane.each_s > 0.0
            lane.held = (lane.held if calls == 1 and away_s < lane.each_s else 0) + 1 if is_held else 0
            lane.number += calls
            lane.turns.came(entry, lane.number, in_order=not lane.pauses)
            lane.work += self._takes_s(entry, lane)
            if calls > 1:
                lane.work += (calls - 1) * self._mean_s(entry, lane)
            lane.pauses = False
            nbytes = self._outputs.nbytes_of(array, entry, place)
            call = Call(array, start, end, entry, place, nbytes, lane, lane.number, lane.work)
            lane.held_back.took(end - start)
            looked = lane.turns.taken and lane.looks
            if looked:
                self._see_return(call, since_s)
            elif lane.turns.taken:
                self._stop_returns(lane)
            self._put(call, away_s)
            if lane.turns.taken and not looked and lane.looks:
                lane.held_back.made(call)  # the first of those that are looked at now
            self._taken += 1
            looks = self._taken % _LOOK_EVERY == 0
            if looks:
                self._resting.look(lane)
        if looks:
            hot_path.full_at(end)  # not with the lock: it takes the log's
        return True

    def is_company(self, entry: int) -> bool:
        """Whether a call that has just returned found its device at work on calls that are followed, and waits for these."""
        waited = self._waited if self._beside.get(entry, 0) < _BESIDE else None
        array = waited.array if waited is not None else None
        return array is not None and is_ready(array) is False

    def is_worth(self, entry: int, seconds: float | None) -> bool:
        """Whether to follow calls that take so long: short ones in the company of longer ones."""
        if seconds is None or seconds >= WORTH_S:
            return True
        lane = self._lane_of(entry) if entry in lines else next(iter(list(self._lanes.values())), None)
        others = lane is not None and (lane.turns.entry != entry or lane.turns.taken)
        return lane is not None and others and lane.each_s >= WORTH_S / 2 and self._waited is not None

    def pause_s(self, entry: int, is_only: bool) -> float:
        """For how long calls need not be looked at: the end that is waited for will not come before, and of the calls until
        then any will do for the next. Where others come by turns only if it is known well what each takes.

        Args:
            is_only: whether its function has no other entry.
        """
        lane = self._lane_of(entry)
        if lane is None:
            return 0.0
        if self._seeks(lane) or lane.turns.taken:
            pause_s = self._pause_in_seeking(lane, is_only) if self._seeks(lane) else self._pause_in_turns(lane)
            lane.pauses = lane.pauses or pause_s > 0
            return pause_s
        if not is_only or lane.bursts or lane.number - lane.begun < _BEGINS:
            return 0.0
        waited = self._waited  # the thread that waits may set it to None meanwhile
        if waited is None:
            pause_s = max((lane.again if self._resting.is_each_few_calls else lane.next_from) - perf_counter(), 0.0)
        elif waited.is_large:  # nothing else is held, nor taken before it ends
            now = perf_counter()
            pause_s = max((waited.asked_from if now < waited.asked_from else waited.due) - now, COMES * lane.each_s)
            pause_s = min(pause_s, _LONG_PAUSE_S)
        elif lane.in_a_row >= IN_A_ROW:  # after this one comes a pause
            pause_s = max(waited.due - perf_counter(), COMES * lane.each_s)
        else:
            pause_s = _PAUSE * lane.lap_s if lane.newest is not None else 0.0
        lane.pauses = lane.pauses or pause_s > 0
        return pause_s

    def some_due(self, entry: int) -> int:
        """How many of the ends that were seen may be judged by now, after a call of this entry."""
        return self._at_a_time if len(seen) >= self._at_a_time and not self._just_begun(entry) else 0

    def due(self, entry: int) -> bool:
        """Whether it is time to judge all: soon at first, then seldom, as that takes time from the caller."""
        if self._unjudged < self._judge_at or self._just_begun(entry):
            return False
        self._judge_at, self._unjudged = min(2 * self._judge_at, _JUDGE_LATER), 0
        return True

    def _just_begun(self, entry: int) -> bool:
        """Whether the device would have nothing to do by the end of a judgement: a call has just found it at rest, as the first
        of each epoch does. Where it rests after so few calls that none comes later, what was seen does not wait for long."""
        lane = self._lane_of(entry)
        if lane is None or len(seen) >= _LATE * self._at_a_time:
            return False
        return (lane.number - lane.rested_at) * max(lane.each_s, WORTH_S) < _JUDGEMENT_S

    def _lane_of(self, entry: int) -> Lane | None:
        line = lines.get(entry)
        return None if line is None else self._lanes.get(line)

    def begin(self) -> None:
        """A caller was seen to run ahead."""
        self._idle = 0
        for lane in list(self._lanes.values()):
            lane.in_a_row, lane.next_from = 0, -math.inf

    def saw(self, link: Link) -> None:
        """Learn from an end when to look for the next."""
        lane, entry, least_s = link.lane, link.entry, link.least_s()
        calls = link.number - lane.seen.number
        if calls < 0:
            return
        self._unjudged += calls if lane.turns.taken else 1  # what is seen of later calls takes the place of what tells of these
        if lane.each_s and link.rested:
            if link.was_first:
                link.is_late_first = lane.rests.first_took(link.before - link.start, link.after - link.start, lane.each_s)
            least_s = min(least_s, _RISES * lane.each_s)
        # the very first may have waited for what the device was given before
        if not link.asks_for_other_work and (lane.each_s or not link.rested):
            weight = _OF_ONE if link.rested and link.is_large else 0.5
            lane.each_s += weight * (least_s - lane.each_s) if lane.each_s else least_s
        if link.alone:
            self._least[entry] = (self._least.get(entry, least_s) + least_s) / 2
            if not least_s:
                self._alone.missed(entry)
        self._outputs.kept(entry)
        self._at_a_time = _MANY if lane.each_s < WORTH_RESTLESS_S and not link.is_large else _SOME
        lane.lap_s = (lane.lap_s + link.after - link.since) / 2
        if link.rested or link.begun is not None:
            lane.has_rested()
        else:
            lane.in_a_row += 1
        pause_s = min(_RARER * max(lane.in_a_row - IN_A_ROW, 0) * lane.lap_s, max(_RAREST * lane.lap_s, _RAREST_S))
        if lane.turns.taken:
            looks = lane.looks
            pause_s = lane.lets_by(link.number) * self._mean_s(entry, lane)
        else:
            looks = not (link.is_large or pause_s)
        lane.next_from = -math.inf if looks else link.after + pause_s
        lane.seen = SeenLast(link.number, link.work, link.after)

    def lost(self, link: Link) -> None:
        """An output was deleted or donated before it was there."""
        self._outputs.lost(link.entry, link.place)

    def go_on(self, ended: Link) -> None:
        """Wait for the next of a row, or the newest."""
        with self.lock:
            if self._waited is not ended:  # it was forgotten meanwhile
                return
            self._waited = None
            ended.lane.held_back.ended_by(ended.number)
            if self._row:
                call = self._row.popleft()
                link = self._wait(call, in_row=True)
                link.closely, link.alone = True, call.follows(ended)
                return
            now = perf_counter()
            for lane in self._lanes.values():
                if lane.next_from > now:
                    lane.newest = None
            waiting = [lane for lane in self._lanes.values() if lane.newest is not None]
            longest = min(waiting, key=lambda lane: lane.waited, default=None)
            if longest is not None and longest.newest is not None:
                newest, longest.newest = longest.newest, None
                self._wait(newest)

    def forget(self) -> None:
        """Hold nothing any longer."""
        with self.lock:
            self._waited = None
            self._row.clear()
            for lane in self._lanes.values():
                lane.newest = None
            self._lanes.clear()

    def drop(self, entry: int) -> None:
        """An entry is no more. Without the lock: the log's is held."""
        for known in (self._least, self._beside, lines):
            known.pop(entry, None)
        self._outputs.drop(entry)
        for lane in list(self._lanes.values()):
            lane.turns.drop(entry)
        self._alone.drop(entry)
        untold.discard(entry)

    def after_fork(self) -> None:
        """Another thread may have been here when the child was made."""
        self.__init__()  # type: ignore[misc]

    def _put(self, call: Call, away_s: float) -> None:
        """Wait for a call, keep it to be waited for, or let it go. Its caller was away for so long before."""
        lane = call.lane
        if not call.is_large and self._seeks(lane):
            self._seek(call, away_s)
            return
        if self._waited is None:
            now = perf_counter()
            if self._resting.is_each_few_calls and lane.each_s < WORTH_RESTLESS_S:
                if now < lane.again:
                    return
                lane.again = now + _LAP * lane.each_s
            # of large outputs the next one is only taken when an end was seen, and of others after a pause: their line may
            # well be at work
            pauses = call.is_large or lane.next_from > -math.inf
            away = 0.0 < lane.each_s < away_s  # before anything is known each pause between two calls would be one
            rested = not pauses or not lane.seen.number or (away and call.start > lane.due(call))
            if rested and not call.is_large:
                self._resting.found(call, now)
                lane.begun = call.number
            if rested or now >= lane.next_from:
                link = self._wait(call, rested=rested)
                link.was_first = rested and away and call.start > lane.due(call)
        elif self._joins(call, self._waited):
            self._row.append(call)
        elif not call.is_large:
            call.lane.newest = call

    def _see_return(self, call: Call, since_s: float) -> None:
        """What the return of a call tells. Of those that were made meanwhile the latest is waited for next, as what is between
        is told by returns. They are held nonetheless: their caller may make no more."""
        lane, held, waited = call.lane, call.lane.held_back, self._waited
        # with several lines the other's calls would be waited for too late
        useful = untold.isdisjoint(lane.turns.here()) and len(self._lanes) == 1
        if _ROW * call.nbytes > LARGE_BYTES or not (useful or self._taken % _TRY_RETURNS[1] < _TRY_RETURNS[0]):
            held.stop()
            return
        held.returned(lane.number, call.end - call.start, since_s)
        held.tells = held.holds and useful
        if waited is not None and waited.lane is lane and held.ended == waited.number and not waited.is_large:
            if held.tells:
                self._leave_to_returns(lane)
            waited.told_by_return(call.start, call.end, held.hand_over())
        held.made(call)

    def _leave_to_returns(self, lane: Lane) -> None:
        """Of the calls in a row the latest is waited for: what is between is told by returns."""
        if self._row and self._row[-1].lane is lane:
            lane.newest = self._row.pop()
            self._row.clear()

    def _stop_returns(self, lane: Lane) -> None:
        if lane.held_back.tells:
            self._leave_to_returns(lane)
        lane.held_back.stop()

    def _runs_beside(self, array: Any, line: Line, entry: int) -> bool:
        """Whether this output of a call that has just returned was there before those of calls before it: short programs whose
        inputs are there run in the thread of their caller. On a busy machine others seem to, now and then: JAX may be late to
        say of an output that it is there."""
        beside = self._beside.get(entry, 0)
        if beside >= _BESIDE:
            return True
        waited = self._waited
        before = waited.array if waited is not None and waited.lane.line == line else None
        if before is not None and is_ready(array) and is_ready(before) is False:
            self._beside[entry] = beside + 1
            return True
        if beside:
            del self._beside[entry]
        return False

    def _seeks(self, lane: Lane) -> bool:
        """Whether only the last call before a rest is waited for, or before one of another entry."""
        return (
            self._resting.is_each_few_calls
            and lane.each_s < WORTH_RESTLESS_S
            and (not lane.turns.taken or lane.turns.longest_run >= _RUN)
        )

    def _seek(self, call: Call, away_s: float) -> None:
        """Wait for the last call before a rest. Its caller was away for so long before."""
        lane, now = call.lane, perf_counter()
        if now < lane.again:
            return
        before = lane.rests.before(call.number)
        ready = is_ready(before) if before is not None else None
        at_rest = False
        is_away = away_s > lane.each_s
        # it was waited for by another output, or nobody has looked at it in a pause
        gone = is_away and (lane.rests.is_gone(call.number) or lane.rests.begins(call.number, lane.each_s))
        if ready or gone:
            was_last = lane.seen.number == call.number - 1  # the one that was waited for
            rest_s = call.start - lane.seen.when if was_last else 0.0
            waited, since = lane.rests.chosen, lane.rests.since
            self._resting.found(call, now, is_after_a_pause=math.isnan(since))
            at_rest = bool(ready) or rest_s > 0.0
            lane.rests.found(call.number, (call.start, call.end), call.entry, certain=at_rest)
            if waited and (not was_last or rest_s > _LONG_REST * (call.start - since)):
                lane.again = max(since + _APART_S, call.start)
            elif waited:
                # where entries come by turns the share of one that has a time would be too small by the end
                laps = lane.rests.laps(anew=lane.turns.taken or now - lane.again > _ANOTHER_S)
                lane.again = now + laps * _LONG_LAP * lane.each_s
        lane.rests.note(call.array, call.number, call.entry, call.start)
        if at_rest and self._waited is None and now >= lane.again and lane.rests.asks_for_other_work(call.entry):
            link = self._wait(call, rested=True)
            link.was_first = link.asks_for_other_work = link.closely = True
        if ready is False:
            self._idle = 0
            begun = lane.rests.choose(call.number) if self._waited is None else None
            if begun is not None:
                self._wait(call, begun=begun)
            elif self._waited is not None and self._waited.begun is not None and self._waited.begun.of_one:
                self._follow(call, self._waited)

    def _joins(self, call: Call, waited: Link) -> bool:
        """Whether its end is to be seen, and that of the call before: there are turns, and it is one of those of which least is
        known."""
        tells, looks = call.lane.held_back.tells, call.lane.turns.taken and call.lane.looks
        if not looks or not (tells or self._wants(call, fresh=True)) or not self._has_room(call, waited):
            return False
        newest = call.lane.newest
        if call.follows(newest) and newest is not None:
            self._row.append(newest)
            call.lane.newest = None
        elif self._row:
            if not call.follows(self._row[-1]):
                return False
        elif call.follows(waited):
            waited.closely = True
        else:
            return False
        call.lane.joined += 1
        if not tells:
            self._alone.looks_at(call.entry)
        return True

    def _takes_s(self, entry: int, lane: Lane) -> float:
        """How long a call of it takes, rather less while that is not known well: who asks too late learns nothing."""
        return well_known[entry] if lane.knows and entry in well_known else self._least.get(entry, lane.each_s)

    def _mean_s(self, entry: int, lane: Lane) -> float:
        """How long those take that came before a call of this entry and were not looked at, in the mean."""
        latest = lane.turns.in_order if lane.turns.taken else ()
        return fmean(self._takes_s(other, lane) for other in latest) if latest else self._takes_s(entry, lane)

    def _pause_in_turns(self, lane: Lane) -> float:
        """For how long none need be looked at where entries come by turns."""
        if lane.number - lane.begun < _ROW or lane.looks:
            return 0.0
        with self.lock:
            waited, row = self._waited, self._row
            if waited is None:
                until = lane.next_from
            else:
                until = lane.due(row[-1]) if row and row[-1].lane is lane else waited.due
        return max(until - perf_counter(), 0.0) if waited is None or not waited.is_large else 0.0

    def _pause_in_seeking(self, lane: Lane, is_only: bool) -> float:
        """For how long none need be looked at where the last call before a rest is sought. No call comes sooner after another
        than the shortest has lasted, and none much sooner than the device is done with one while their caller is held back."""
        pause_s = lane.again - perf_counter()
        if pause_s > 0.0:
            return pause_s
        calls = lane.rests.lets_by() if is_only and len(self._lanes) == 1 and not lane.turns.taken else 0
        if not calls:
            return 0.0
        is_held = lane.held >= _HELD_ROW and lane.rests.calls_since >= _AHEAD
        pause_s = calls * max(lane.held_back.shortest_s, _HELD * lane.each_s if is_held else 0.0)
        return max(pause_s, lane.rests.quiet_until(lane.each_s) - perf_counter())

    def _follow(self, call: Call, waited: Link) -> None:
        """See the call alone that comes after those of one entry."""
        if call.follows(waited) and not self._row and self._wants(call) and self._has_room(call, waited):
            waited.closely = True
            self._row.append(call)
            self._alone.looks_at(call.entry)

    def _has_room(self, call: Call, waited: Link) -> bool:
        if call.is_large:
            return not waited.is_large and not any(other.is_large for other in self._row)
        newest = call.lane.newest
        held = [*(other.nbytes for other in self._row if not other.is_large), call.nbytes, newest.nbytes if newest else 0]
        return len(self._row) < _ROW and sum(held) <= LARGE_BYTES

    def _wants(self, call: Call, fresh: bool = False) -> bool:
        """`fresh`: also where all is known well."""
        also_known = self._waits % _SELDOM == 0 or (fresh and call.lane.knows)
        return self._alone.wants(call.entry, call.lane.turns.here(), self._taken, also_known)

    def _wait(self, call: Call, rested: bool = False, begun: Begun | None = None, in_row: bool = False) -> Link:
        self._waits += 1
        call.lane.waited = self._waits
        if not (in_row or call.lane.looks):
            call.lane.joined, call.lane.looks_from = 0, call.number
        link = Link(call, rested, self, begun)
        if begun is not None and not begun.of_one:  # its caller is about to wait for it
            link.had = account()
            watching.append(link)
        elif self._resting.is_each_few_calls and call.lane.each_s >= WORTH_RESTLESS_S and not call.is_large:
            link.caller = call.lane.caller  # who may see its end first, and another function's call begins with that
            watching.append(link)
        waiter.look(link)
        self._waited = link  # not before: where Ctrl-C comes between the two it would be waited for in vain
        return link


def _is_ready_by_now(link: Link) -> bool | None:
    """Whether its line has come to rest, and the thread that waits for it has not seen that yet; None where its caller has
    deleted the output: the thread would find that later, when the caller may have handed over all it may."""
    latest = link.number == link.lane.number and not link.lane.pauses
    array = link.array if latest else None
    return False if array is None else is_ready(array)


ahead = RunningAhead()
waiter.stopped = ahead.forget
