"""What was recorded, and who wants to hear of it. Imports only leaves: every other room depends on this one.

Writers (`jitting`) add; readers (`tables`, `display`, `live`) call `log.fold()` and read. A cache hit notifies nobody: it
only lands in a buffer that the next `fold` brings in. Listeners hear of what is rare: functions, entries, misses, phases.

Times are seconds. `started_s` and `last_used_s` are Unix time; every other `*_s` is a duration.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.records.columns import AVERAGED, NO_ENTRY, Columns

Outcome = Literal["hit", "miss", "disk_hit", "inlined", "error", "eager"]
OUTCOMES: tuple[Outcome, ...] = ("hit", "miss", "disk_hit", "inlined", "error", "eager")
HIT, MISS, DISK_HIT, INLINED, ERROR, EAGER = range(6)
ExecuteHow = Literal["blocked", "observed", "averaged", "unobserved"]
EXECUTE_HOW: tuple[ExecuteHow, ...] = ("unobserved", "observed", "blocked", "averaged")
UNOBSERVED, OBSERVED, BLOCKED = range(3)  # averaged: `columns.AVERAGED`
Why = Literal["not_looked_at", "compile", "rested", "late", "gone", "unsure"]
WHY_UNOBSERVED: tuple[Why, ...] = ("not_looked_at", "compile", "rested", "late", "gone", "unsure")
"""Why a call has no time: nobody looked for its end; something compiled meanwhile, or a call before it failed; the device
rested between calls, or nobody knows since when it was at work; its end was seen too late to tell; its outputs were deleted or
donated before; or calls of several entries came by turns, and how long those of each take is not certain."""
NOT_LOOKED_AT, COMPILE, RESTED, SEEN_LATE, GONE, UNSURE = range(6)
Phase = Literal["trace", "lower", "compile"]
Kind = Literal["function", "entry", "miss", "diagnosis", "other"]


@dataclass(slots=True)
class FunctionRecord:
    """One jitted function. `name` is what tables show: the qualified name, unique among living functions."""

    id: int
    name: str
    module: str
    qualname: str
    filename: str
    line: int
    static_argnames: tuple[str, ...] = ()
    donate_argnames: tuple[str, ...] = ()
    created_s: float = 0.0
    alive: bool = True
    superseded: bool = False
    recording: bool = True
    calls: int = 0
    hits: int = 0
    misses: int = 0
    errors: int = 0
    inlined: int = 0
    trace_s: float = 0.0
    lower_s: float = 0.0
    compile_s: float = 0.0
    dispatch_s: float = 0.0
    break_even_calls: int | None = None
    """None until it is asked for, and where compiling never pays."""
    origin: tuple[object, ...] = ()
    """Equal for functions of which one was made in the other's place."""
    tried: list[dict[str, str]] = field(default_factory=list)
    """Plain values, by argument, of the latest calls that failed."""


@dataclass(slots=True)
class EntryRecord:
    """One cache entry: an executable, told apart by avals, static values, and the transformation it runs under."""

    id: int
    function: int
    avals: str
    """JAX's short form, as "f32[4,3], {'w': f32[3]}"."""
    arguments: str = ""
    """The same by name, large containers folded: "x f32[4,3] · params {6}"."""
    static: dict[str, str] = field(default_factory=dict)
    """Static values by argument path, shortened."""
    transformation: str = ""
    created_s: float = 0.0
    hits: int = 0
    trace_s: float | None = None
    lower_s: float | None = None
    compile_s: float | None = None
    outcome: Outcome = "miss"
    execute_s: float | None = None
    """Median of the blocked or observed executions, None while there is none."""
    executable_bytes: int | None = None
    temp_bytes: int | None = None
    argument_bytes: int | None = None
    output_bytes: int | None = None
    last_used_s: float = 0.0
    superseded: bool = False
    alive: bool = True
    key: Any = field(default=None, repr=False, compare=False)
    """All that JAX compares, as plain data (`apart.Key`); None where it is not known."""


@dataclass(slots=True)
class MissRecord:
    """A call that traced, lowered or compiled, with every cause. `cost_s` is trace + lower + compile."""

    id: int
    call: int
    """The call's number, 0 until it is folded."""
    function: int
    entry: int
    causes: tuple[Cause, ...]
    cost_s: float
    call_site: str = ""
    started_s: float = 0.0


@dataclass(slots=True)
class OtherRecord:
    """What one function that is not under `jm.jit` has compiled from one line of code. Times are of all compiles together."""

    id: int
    function: str
    module: str
    call_site: str
    compiles: int = 0
    disk_hits: int = 0
    trace_s: float = 0.0
    lower_s: float = 0.0
    compile_s: float = 0.0
    causes: tuple[Cause, ...] = ()
    """Of the latest compile."""
    last_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DiagnosisRecord:
    """A failed trace and what was concluded. `diagnosis` is the plain dict of `Diagnosis.to_dict`."""

    id: int
    function: str
    started_s: float
    diagnosis: dict[str, Any]


@dataclass(slots=True)
class CellRecord:
    """A cell that ran; `ended_s` is None while it does, `id` is the front end's own, empty where it tells none."""

    number: int
    started_s: float
    ended_s: float | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class PhaseEvent:
    """A phase began (`duration_s` None) or ended, in `thread`, for the function named; what "Now" in the panel shows."""

    function: int
    name: str
    phase: Phase
    started_s: float
    duration_s: float | None = None
    thread: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """Rows were added or changed: `what` is "functions", "entries", "misses", "diagnoses", "others" or "reset"; or "recording",
    where it was paused or goes on.

    `id` is the row's, or 0."""

    what: str
    id: int = 0


Event = PhaseEvent | Changed
Listener = Callable[[Event], None]


class Listeners:
    """Those who want to hear. A listener runs in the thread of the call: it must be quick, and its faults stop here."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on every event from now on; returns what ends that (twice does no harm)."""
        with self._lock:
            self._listeners += (listener,)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(other for other in self._listeners if other is not listener)

        return unsubscribe

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def emit(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:
                faults.report("telling a listener", error)


_COUNT_AT_ONCE = 1 << 13
"""So that what is counted stays in the processor's cache, beside a loop that goes on."""


class Log:
    """Every function, entry, call, miss and diagnosis of this process.

    `functions` and `entries` are by id, `misses` and `diagnoses` in order. `calls()` gives the calls as columns. Call `fold()`
    first: hits wait in buffers until then. After `reset()` a living function or entry appears again with its next call.

    What changes several things at once holds `lock`, and stands two interruptions. A finalizer or a signal handler may call a
    jitted function in the middle of it: whoever would move rows asks `is_changing` first and leaves it to the next fold. And
    Ctrl-C may end it: that comes after a call, at a loop's end or where a function begins, so what belongs together is stored
    without any of these in between, or is done again by the next fold.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.functions: dict[int, FunctionRecord] = {}
        self.entries: dict[int, EntryRecord] = {}
        self.misses: list[MissRecord] = []
        self.diagnoses: list[DiagnosisRecord] = []
        self.cells: deque[CellRecord] = deque(maxlen=2000)
        """The latest cells, in the order in which they began."""
        self.others: dict[tuple[str, str, str], OtherRecord] = {}
        """By function, module and call site."""
        self.warned_of: deque[int] = deque(maxlen=1000)
        """Entries whose compile the user was warned of when it happened."""
        self.listeners = Listeners()
        self.folders: list[Callable[[], None]] = []
        self.forgetters: list[Callable[[], None]] = []
        """Called on `reset` by those who keep something of their own about the rows."""
        self.columns = Columns()
        self.clock_offset = 0.0
        """Unix time minus the clock of the call columns."""
        self.fill_sizes: Callable[[], None] = lambda: None
        """Puts sizes into the entries that have none yet, where that compiles nothing."""
        self.paused_s: float | None = None
        """Unix time since which the user wants nothing recorded; None while calls are recorded."""
        self.shells = 0
        """How many shells show advice after their cells: what nobody is told need not be found out."""
        self._known_functions: dict[int, FunctionRecord] = {}
        self._known_entries: dict[int, EntryRecord] = {}
        self._entries_of: dict[int, dict[int, EntryRecord]] = {}
        self._dropped: dict[int, int] = {}
        """The function of each entry that was dropped a moment ago: a call of another thread may be about to tell of one."""
        self._look_for_dead_above = 0
        self._counted = 0
        """The number of the last call that is in the totals, or in what is about to be added to them."""
        self._to_add: list[Group] = []
        self._added = 0
        """How much of it was added."""
        self._reset_due = self._reset_untold = False
        self._ids: dict[Kind, Iterator[int]] = {kind: itertools.count(1) for kind in get_args(Kind)}

    def new_id(self, kind: Kind) -> int:
        """The number of the next row of this kind: 1, 2, 3 … also across `reset`, and short enough to be typed."""
        return next(self._ids[kind])

    def add_function(self, record: FunctionRecord) -> None:
        with self.lock:
            self.functions[record.id] = self._known_functions[record.id] = record
        self.listeners.emit(Changed("functions", record.id))

    def add_entry(self, record: EntryRecord) -> None:
        with self.lock:
            self._entries_of.setdefault(record.function, {})[record.id] = record
            self.entries[record.id] = self._known_entries[record.id] = record
        self.listeners.emit(Changed("entries", record.id))

    def add_miss(self, record: MissRecord, keep: int) -> None:
        with self.lock:
            self.misses.append(record)
            if len(self.misses) > keep + keep // 10:
                del self.misses[:-keep]
        self.listeners.emit(Changed("misses", record.id))

    def add_diagnosis(self, record: DiagnosisRecord) -> None:
        with self.lock:
            self.diagnoses.append(record)
        self.listeners.emit(Changed("diagnoses", record.id))

    def known_function(self, function: int) -> FunctionRecord | None:
        """The record of a function, also while `reset` hides it; None once it is forgotten for good."""
        return self._known_functions.get(function)

    def entries_of(self, function: int) -> list[EntryRecord]:
        return list(self._entries_of.get(function, {}).values())

    def owner_of(self, place: int) -> int | None:
        """The function of a call's place."""
        entry = self._known_entries.get(place)
        return entry.function if entry is not None else -1 - place if place < 0 else None

    def drop_dead_entries(self, keep: int) -> None:
        """Where there are many more than `keep` entries, drop the oldest dead ones for good. Their calls and totals stay, as
        their function's."""
        if len(self._known_entries) <= max(keep + keep // 4, self._look_for_dead_above) or self.is_changing():
            return
        self.fold()
        with self.lock:
            dead = [entry for entry in tuple(self._known_entries.values()) if not entry.alive]
            dropped = dead[: len(self._known_entries) - keep]
            self._dropped = {entry.id: entry.function for entry in dropped}
            self.columns.move({entry.id: -1 - entry.function for entry in dropped})
            for entry in dropped:
                self.entries.pop(entry.id, None)
                self._entries_of.get(entry.function, {}).pop(entry.id, None)
                del self._known_entries[entry.id]  # last: one that is still known is dropped the next time
            self._look_for_dead_above = len(self._known_entries) + keep // 8

    def known_entry(self, entry: int) -> EntryRecord | None:
        return self._known_entries.get(entry)

    def is_changing(self) -> bool:
        """Whether this thread is in the middle of changing or reading the log, and something called a jitted function there."""
        return self.lock._is_owned()  # type: ignore[attr-defined,no-any-return,unused-ignore]

    def after_fork(self) -> None:
        """In a forked child, whose thread alone is left: what others held at that moment is free, and nothing was half done."""
        self.lock.release()
        self.listeners.after_fork()

    def fold(self) -> None:
        """Bring every buffered call into the columns and totals."""
        if self.is_changing():
            return
        for folder in tuple(self.folders):
            folder()
        with self.lock:
            self.make_good()
            self._count()
        self._tell_reset()

    def make_good(self) -> None:
        """Do what was begun and cut short. Part of whatever is about to move rows, under the lock."""
        if self._reset_due:
            self._forget_rows()

    def drop_oldest(self, count: int) -> None:
        """Fold the oldest `count` rows away for good; they stay in the totals."""
        with self.lock:
            self._count()
            self.columns.drop_oldest(count)

    def calls(self, since: int = 0) -> dict[str, Any]:
        """The kept calls from number `since` on as NumPy columns of equal length: call function started_s outcome trace_s
        lower_s compile_s dispatch_s execute_s execute_how averaged_over why_unobserved entry. Outcome, execute_how and
        why_unobserved are codes into `OUTCOMES`, `EXECUTE_HOW` and `WHY_UNOBSERVED`; entry is -1 where the call has none,
        averaged_over 0 where it was not averaged, and why_unobserved -1 where it has a time or executed nothing."""
        import numpy as np

        with self.lock:
            row = min(max(since - self.columns.first, 0), len(self.columns))
            columns = {**self.columns.as_numpy(row), **self.columns.phase_columns(row)}
            owners = self._dropped | {entry.id: entry.function for entry in tuple(self._known_entries.values())}
        place, started = columns.pop("place"), columns.pop("started")
        columns["function"] = _by_value(place, lambda p: owners.get(p, 0) if p >= 0 else -1 - p)
        columns["entry"] = np.where(place >= 0, place, NO_ENTRY)
        columns["dispatch_s"] = columns.pop("ended") - started
        columns["started_s"] = started + self.clock_offset
        how, outcome = columns["execute_how"], columns["outcome"]
        nothing = (how > 0) | (outcome == INLINED) | (outcome == ERROR) | (outcome == EAGER)
        columns["why_unobserved"] = np.where(nothing, -1, -how)
        columns["execute_how"] = np.maximum(how, 0)
        over = self.columns.averaged_over(columns["call"], place)
        columns["averaged_over"] = np.where(columns["execute_how"] == AVERAGED, over, 0)
        return columns

    def reset(self) -> None:
        """Forget every row. Living functions go on recording and appear again with their next call."""
        if self.is_changing():
            self._reset_due = True
            return
        self.fold()
        with self.lock:
            self._reset_due = True  # from here on the next fold does it, should Ctrl-C come
            self._forget_rows()
        self._tell_reset()

    def _tell_reset(self) -> None:
        if self._reset_untold:
            self._reset_untold = False
            self.listeners.emit(Changed("reset"))

    def _forget_rows(self) -> None:
        for forget in self.forgetters:
            forget()
        for rows in (self.misses, self.diagnoses, self.others, self.cells, self.functions, self.entries):
            rows.clear()
        functions = {id_: record for id_, record in self._known_functions.items() if record.alive}
        entries = {id_: entry for id_, entry in self._known_entries.items() if entry.alive and entry.function in functions}
        entries_of: dict[int, dict[int, EntryRecord]] = {}
        for entry in entries.values():
            entries_of.setdefault(entry.function, {})[entry.id] = entry
            entry.hits = 0
        for function in functions.values():
            function.calls = function.hits = function.misses = function.errors = function.inlined = 0
            function.tried = []
            function.trace_s = function.lower_s = function.compile_s = function.dispatch_s = 0.0
        columns = Columns(self.columns.first + len(self.columns))
        counted = columns.first - 1
        self._known_functions, self._known_entries, self._entries_of = functions, entries, entries_of
        self.columns, self._counted, self._to_add, self._added = columns, counted, [], 0
        self._reset_due, self._reset_untold = False, True

    def _count(self) -> None:
        """Bring the totals of functions and entries up to the last row of the columns."""
        self._add_up()
        while (start := self._counted + 1 - self.columns.first) < len(self.columns):
            end = min(start + _COUNT_AT_ONCE, len(self.columns))
            groups = list(_groups(self.columns.as_numpy(start, end)))
            self._to_add, self._added, self._counted = groups, 0, self.columns.first + end - 1
            self._add_up()

    def _add_up(self) -> None:
        """Add what is left of a count. What is stored from `kept` on comes without a call in between: each group counts once,
        also where Ctrl-C comes."""
        while self._added < len(self._to_add):
            place, outcome, count, seconds, last = self._to_add[self._added]
            entry = self._known_entries.get(place)
            function = self._known_functions.get(entry.function if entry else self._dropped.get(place, -1 - place))
            if function is None:
                self._added += 1
                continue
            self.functions.setdefault(function.id, function)
            if entry:
                self.entries.setdefault(entry.id, entry)
            kept = entry.last_used_s if entry else 0.0
            last += self.clock_offset
            if entry:
                entry.last_used_s = last if last > kept else kept
                entry.hits += count if outcome == HIT else 0
            function.calls += count
            function.dispatch_s += seconds
            function.hits += count if outcome == HIT else 0
            function.misses += count if outcome in (MISS, DISK_HIT) else 0
            function.inlined += count if outcome == INLINED else 0
            function.errors += count if outcome == ERROR else 0
            self._added += 1
        self._to_add, self._added = [], 0


Group = tuple[int, int, int, float, float]


def _groups(columns: dict[str, Any]) -> Iterator[Group]:
    """Rows of the columns by place and outcome: (place, outcome, how many, their dispatch seconds, start of the last one)."""
    import numpy as np

    started, ended, place, outcome = [columns[name] for name in ("started", "ended", "place", "outcome")]
    lowest, highest = int(place.min()), int(place.max())
    if highest - lowest <= _COUNT_AT_ONCE:
        places: Sequence[int] = range(lowest, highest + 1)
        code = (place - lowest) * 8 + outcome
    else:
        used, number = np.unique(place, return_inverse=True)
        places, code = used.tolist(), number * 8 + outcome
    counts, seconds = np.bincount(code), np.bincount(code, weights=ended - started)
    last = np.empty(len(counts))
    last[code] = started
    for found in np.flatnonzero(counts).tolist():
        yield places[found // 8], found % 8, int(counts[found]), float(seconds[found]), float(last[found])


def _by_value(values: Any, of: Callable[[int], int]) -> Any:
    """``of(value)`` for every element of a NumPy array with few different ones."""
    import numpy as np

    used, number = np.unique(values, return_inverse=True)
    return np.array([of(value) for value in used.tolist()], dtype="i8")[number]


log = Log()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=log.lock.acquire, after_in_parent=log.lock.release, after_in_child=log.after_fork)
