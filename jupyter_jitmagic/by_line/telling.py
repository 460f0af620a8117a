"""What is worth a line below a cell about the programs that it compiled: loops that were unrolled, large constants."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.base.own_work import own_work
from jupyter_jitmagic.base.wording import duration, short_name, size
from jupyter_jitmagic.by_line import programs
from jupyter_jitmagic.by_line.constants import Constant, large_constants, traces_as_argument
from jupyter_jitmagic.by_line.equations import equations
from jupyter_jitmagic.by_line.unrolled import Made, Unrolled, largest_loop
from jupyter_jitmagic.recording.calls import functions
from jupyter_jitmagic.recording.calls.examples import as_it_was
from jupyter_jitmagic.recording.calls.function_state import FunctionState
from jupyter_jitmagic.recording.compiles.elsewhere import others
from jupyter_jitmagic.recording.guards.telling import Line
from jupyter_jitmagic.records.log import EntryRecord, MissRecord, log
from jupyter_jitmagic.usercode.ownership import is_users

_LOOKED_AT = 20
"""Compiles of one cell, the newest."""
_LONGEST_TRACE_S = 1.0
"""Of a trace that is made again for the cure of a constant."""


class ProgramTeller:
    """Knows what was told. `lines()` is asked after each cell.

    Args:
        place: names a line for the reader, as "cell [7], line 3".
        since: Unix time from which on compiles count.

    Example:
        >>> teller = ProgramTeller(place, since=time.time())
        >>> deep(x)
        >>> teller.lines()
        ['deep: the loop in cell [7], line 3 was unrolled 700 times: 2,800 of 2,801 equations, traced and compiled in 17 s.']
    """

    def __init__(self, place: Callable[[str, int], str], since: float) -> None:
        self._place = place
        self._since = since
        # by number: one that began before a look and ended after it is new then, however long it took
        self._last_miss = max((miss.id for miss in log.misses if miss.started_s < since), default=0)
        self._told: set[tuple[object, ...]] = set()
        self._others: dict[int, float] = {}
        self.waiting: list[Callable[[], Line]] = []
        """Lines that wait for the cell's end, as a function of the user's is traced for them: what runs for us is undone, and a
        running cell's own changes would be with it."""

    def lines(self, *, running: bool = False) -> list[Line]:
        """What is new since the last time, each loop and each constant once; no constant while a cell is `running`."""
        since, self._since = self._since, time.time()
        try:
            found = [*self._of_misses(), *self._of_others(since)]
            if not running:
                waiting, self.waiting = self.waiting, []
                found += [line() for line in waiting]
            return found
        except Exception as error:
            faults.report("telling of unrolled loops and constants", error)
            return []

    def _of_misses(self) -> Iterator[Line]:
        new = [miss for miss in list(log.misses)[-_LOOKED_AT:] if miss.id > self._last_miss]
        self._last_miss = max((miss.id for miss in new), default=self._last_miss)
        for miss in new:
            record, state = log.known_function(miss.function), functions.state_of(miss.function)
            entry = log.known_entry(miss.entry) if miss.entry else None
            jaxpr = programs.traced(entry) if entry is not None and state is not None else None
            if record is None or state is None or jaxpr is None:
                continue
            if miss.cost_s >= options.tell_after_s:
                made = (Made(each.stack, each.maker) for each in equations(jaxpr, is_users))
                yield from self._unrolled(record.qualname, largest_loop(made), miss.cost_s, miss.id)
            for constant in large_constants(jaxpr, state.facts.fun, is_users):
                if self._once("constant", record.qualname, constant.name, constant.type):
                    self.waiting.append(partial(self._constant, state, entry, constant, miss))

    def _of_others(self, since: float) -> Iterator[Line]:
        for row in [row for row in tuple(log.others.values()) if row.last_s >= since]:
            before, now = self._others.get(row.id, 0.0), row.trace_s + row.lower_s + row.compile_s
            self._others[row.id] = now
            if (jaxpr := others.traced(row.id)) is None:
                continue
            if now - before >= options.tell_after_s:
                made = (Made(each.stack, each.maker) for each in equations(jaxpr, is_users))
                yield from self._unrolled(row.function, largest_loop(made), now - before, 0)
            for constant in large_constants(jaxpr, others.function(row.id), is_users):
                # of a library's function, an array that the user neither uses nor names is the library's
                if (constant.place or constant.name) and self._once("constant", row.function, constant.name, constant.type):
                    self.waiting.append(partial(Line.about, self._is_constant(short_name(row.function), constant)))

    def _unrolled(self, function: str, loop: Unrolled | None, cost_s: float, miss: int) -> Iterator[Line]:
        if loop is None or not self._once("loop", loop.file, loop.line, function):
            return
        own = loop.function.rpartition(".")[2] == short_name(function).rpartition(".")[2]
        cure = f" `%jitlines --roll {short_name(function)}(…)` tries it as one loop of lax." if own else ""
        yield Line.about(
            f"{short_name(function)}: the loop in {self._place(loop.file, loop.line)} was unrolled {loop.rounds:,} times: "
            f"{loop.operations:,} of {loop.whole:,} equations, traced and compiled in {duration(cost_s)}.{cure}",
            miss=miss,
        )

    def _constant(self, state: FunctionState, entry: EntryRecord | None, constant: Constant, miss: MissRecord) -> Line:
        name = short_name(state.facts.record.qualname)
        cure = f" As an argument of {name} it is in none (traced)." if _cured(state, entry, constant) else ""
        return Line.about(f"{self._is_constant(name, constant)}{cure}", miss=miss.id)

    def _is_constant(self, function: str, constant: Constant) -> str:
        at = f", {self._place(constant.place.file, constant.place.line)}" if constant.place else ""
        are = "is a constant" if len(constant.arrays) == 1 else "are constants"
        return (
            f"{function}: {constant.name or 'an array'} ({constant.type}{at}) {are} of "
            f"{size(constant.bytes)} in the compiled program, and in each further one."
        )

    def _once(self, *key: object) -> bool:
        if key in self._told:
            return False
        self._told.add(key)
        return True


def _cured(state: FunctionState, entry: EntryRecord | None, constant: Constant) -> bool:
    """Whether the array was seen to serve as an argument; not asked where a trace takes long."""
    example = state.entries.examples.get(entry.id) if entry is not None else None
    if entry is None or example is None or (entry.trace_s or 0.0) > _LONGEST_TRACE_S:
        return False
    with own_work(), as_it_was(entry.id, example):
        return traces_as_argument(state.facts.fun, constant, state.facts.jit_options, example, 2 * _LONGEST_TRACE_S)
