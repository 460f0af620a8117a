"""What the user should hear of after a cell, once and a line each: costly recompiles, what would have saved them, stale values.

Everything is kept back until it has cost more than it takes to read (``jm.options.tell_after_s``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from jupyter_jitmagic.base.causes import sentence
from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.base.wording import duration, percent, short_name
from jupyter_jitmagic.recording.guards import asked_once, cures, left_tracers, stale
from jupyter_jitmagic.recording.guards.captured import ReadChange
from jupyter_jitmagic.recording.guards.resting_device import rest_since
from jupyter_jitmagic.records.log import FunctionRecord, MissRecord, log

_TOLD_LIMIT = 10_000
_REST_WORTH_S = 1.0
"""Seconds that a device has to have rested in a loop for it to be told."""


class Line(str):
    """A line, and what it speaks of: the miss by its number (0: none), or the advice by its id."""

    miss: int = 0
    cure: str = ""

    @classmethod
    def about(cls, text: str, *, miss: int = 0, cure: str = "") -> Line:
        line = cls(text)
        line.miss, line.cure = miss, cure
        return line


class Teller:
    """Knows what was told. `lines()` is asked after each cell, `so_far()` as often as anyone likes while one runs.

    Args:
        place: names a line for the reader, as "cell [7], line 3".
        since: Unix time from which on calls count; now by default.

    Example:
        >>> teller = Teller()
        >>> step(x4); step(x5)
        >>> teller.lines()
        ['step recompiled (1.8 s): x is f32[5] now and was f32[4] before, cell [7] line 3.']
    """

    def __init__(self, place: Callable[[str, int], str] | None = None, since: float | None = None) -> None:
        self._place = place or _file_and_line
        self._told: set[tuple[object, ...]] = set()
        self._costs: dict[tuple[int, str, str], float] = {}
        self._since = time.time() if since is None else since
        self._last_miss = max((miss.id for miss in log.misses if miss.started_s < self._since), default=0)
        self._new: set[tuple[object, ...]] = set()
        """What the look at hand tells."""
        self._changed: dict[tuple[object, ...], float] = {}
        """Names that a look found changed, and when it had."""
        self._stale_lines: dict[tuple[object, ...], Line] = {}
        """What was told of such names while the cell runs."""

    def lines(self) -> list[Line]:
        """What is new since the last time: at most one line for each cause or what would have saved it, and each stale name."""
        since, self._since = self._since, time.time()
        try:
            new = _latest(self._last_miss)
            costs = dict(self._costs)
            found = [*self._of_misses(new, costs, since), *self._left(since), *self._stale(since), *self._rests(since)]
        except Exception as error:
            faults.report("telling what a cell has shown", error)
            return []
        finally:
            self._told |= self._new
            self._new.clear()
            self._changed.clear()
            self._stale_lines.clear()
        self._last_miss = new[-1].id if new else self._last_miss
        self._costs = costs if len(costs) < _TOLD_LIMIT else {}
        if len(self._told) >= _TOLD_LIMIT:
            self._told.clear()
        return found

    def so_far(self) -> list[Line]:
        """The same in the middle of a cell; `lines()` tells it again when that ends. May be asked from another thread."""
        try:
            stale = self._stale_so_far()
            return [
                *self._of_misses(_latest(self._last_miss), dict(self._costs), self._since),
                *self._left(self._since),
                *stale,
                *self._rests(self._since),
            ]
        finally:
            self._new.clear()

    def _once(self, *key: object) -> bool:
        if key in self._told or key in self._new:
            return False
        self._new.add(key)
        return True

    def _of_misses(self, new: list[MissRecord], costs: dict[tuple[int, str, str], float], since: float) -> Iterator[Line]:
        """One line for one problem: where there is advice on a recompile, the advice."""
        advice = list(self._advice(since))
        by_function: dict[int, list[MissRecord]] = {}
        for miss in new:
            if not any(cause.cause == "first_call" for cause in miss.causes):
                by_function.setdefault(miss.function, []).append(miss)
        for function, misses in by_function.items():
            record = log.known_function(function)
            if record is None:
                continue
            spoken_of = [each for each in advice if each.origin == record.origin]
            left = self._worth_telling(record.qualname, misses, costs, spoken_of)
            if left:
                yield Line.about(self._recompiled(record.name, left), miss=left[-1].id)
        for each in advice:
            yield Line.about(each.line(self._place), cure=each.id)

    def _recompiled(self, name: str, misses: list[MissRecord]) -> str:
        seconds = sum(miss.cost_s for miss in misses)
        last = misses[-1]
        times = "" if len(misses) == 1 else f" {len(misses)} times"
        word = ", the last time" if len(misses) > 1 else ""
        return f"{name} recompiled{times} ({duration(seconds)}){word}: {sentence(last.causes)}{self._at(last.call_site)}."

    def _at(self, call_site: str) -> str:
        filename, _, line = call_site.rpartition(":")
        return f", {self._place(filename, int(line))}" if filename and line.isdigit() else ""

    def _worth_telling(
        self, function: str, misses: list[MissRecord], costs: dict[tuple[int, str, str], float], advice: list[cures.Advice]
    ) -> list[MissRecord]:
        """These misses less those that the advice or a warning speaks of; none where no cause among them has reached the
        threshold for the first time."""
        worth = False
        left: list[MissRecord] = []
        for miss in misses:
            untold = [cause for cause in miss.causes if not any(each.speaks_of(cause) for each in advice)]
            if miss.entry in log.warned_of:
                untold = []
            if untold:
                left.append(miss)
            for cause in miss.causes:
                key = (miss.function, cause.cause, cause.argument)
                costs[key] = costs.get(key, 0.0) + miss.cost_s
                if costs[key] >= options.tell_after_s and self._once("cause", function, cause.cause, cause.argument):
                    worth = worth or cause in untold
        return left if worth else []

    def _advice(self, since: float) -> Iterator[cures.Advice]:
        for history in cures.histories:
            if history.last_s < since:
                continue
            for advice in cures.advice_on(history):
                key = ("advice", advice.rule, advice.function, advice.argument)
                if advice.cost_s >= options.tell_after_s and self._once(*key):
                    yield advice

    def _left(self, since: float) -> Iterator[Line]:
        """What a trace has left behind, and what it has asked once for all calls."""
        for each in tuple(left_tracers.left):
            if each.seen_s >= since and self._once("left", each.function, each.holder):
                yield Line(
                    f"{each.name} left a tracer in {each.holder} when it was traced: it is no number, and what uses it fails. "
                    f"Under jit Python runs once for all calls alike: return such values from {each.name}."
                )

        for asking in tuple(asked_once.asking):
            if asking.seen_s >= since and self._once("asked", asking.function):
                yield Line(f"{asking.name}: {asking.said}")

    def _stale(self, since: float) -> Iterator[Line]:
        yield from self._stale_lines.values()
        for function, change, _ in stale.stale(since):
            key = _stale_key(function, change)
            if self._once(*key) and key not in self._stale_lines:
                yield Line(stale_text(function, change))

    def _stale_so_far(self) -> list[Line]:
        """A name may be about to be put right: it is told once a call was made after a look had found it changed."""
        try:
            found = list(stale.stale(self._since))
        except (RuntimeError, LookupError):  # the user's code changed what was being looked at: the next look comes
            return list(self._stale_lines.values())
        changed: dict[tuple[object, ...], float] = {}
        for function, change, used_s in found:
            key = _stale_key(function, change)
            seen = changed[*key, change.captured_s] = self._changed.get((*key, change.captured_s), time.time())
            if used_s > seen and key not in self._told:
                self._stale_lines.setdefault(key, Line(stale_text(function, change)))
        self._changed = changed
        return list(self._stale_lines.values())

    def _rests(self, since: float) -> Iterator[Line]:
        rest = rest_since(since)
        record = log.known_function(rest.function) if rest is not None else None
        if rest is None or record is None or rest.lost_s < max(_REST_WORTH_S, options.tell_after_s):
            return
        if self._once("rest", record.qualname):
            yield Line(
                f"{record.name}: {'at least' if rest.bounded else 'about'} {percent(rest.share)} of this loop passed between "
                f"executions of jitted functions: {duration(rest.each_s)} from call to call, "
                f"{'at most ' if rest.bounded else ''}{duration(rest.execute_s)} an execution. If that is "
                "Python's time, more work in each call (a larger batch, vmap, several steps in a lax.scan) saves it."
            )


def _file_and_line(filename: str, line: int) -> str:
    return f"{os.path.basename(filename)}, line {line}"


def _latest(after: int) -> list[MissRecord]:
    found: list[MissRecord] = []
    for miss in reversed(log.misses):
        if miss.id <= after:
            break
        found.append(miss)
    return found[::-1]


def _stale_key(function: FunctionRecord, change: ReadChange) -> tuple[object, ...]:
    return ("stale", function.id, change.name, change.now)


def stale_text(function: FunctionRecord, change: ReadChange) -> str:
    name = short_name(function.qualname)
    when = time.strftime("%H:%M:%S", time.localtime(change.captured_s))
    values = f"is {change.now} now and was {change.before} when" if change.before != change.now else "has changed since"
    if not change.seen:
        values = "is another array now (whether of other numbers was not looked at) than when"
    reader = "" if change.reader.rpartition("<locals>.")[2] == name else f" (through {short_name(change.reader)})"
    return (
        f"{function.name} still uses the old {change.name}{reader}: {change.name} {values} {name} was traced at {when}. "
        f"Pass it as an argument, or call {name}.clear_cache()."
    )
