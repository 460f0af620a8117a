"""Records as the panel's rows, and which of them changed since the panel last heard. No comm, no thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar, cast

from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.live.labels import Labels
from jupyter_jitmagic.live.protocol import (
    CauseRow,
    DiagnosisRow,
    EntryRow,
    FunctionRow,
    MissRow,
    OtherRow,
    Place,
    Rows,
    Table,
    TableRows,
)
from jupyter_jitmagic.live.running import RunningPhases
from jupyter_jitmagic.live.texts import number_of as _number
from jupyter_jitmagic.live.texts import text_of as _text
from jupyter_jitmagic.records.log import (
    Changed,
    DiagnosisRecord,
    EntryRecord,
    Event,
    FunctionRecord,
    Log,
    MissRecord,
    OtherRecord,
    PhaseEvent,
)

OTHERS_KEPT = 1000
"""So many of the latest compiles outside `jm.jit` a snapshot holds."""
MISSES_KEPT = 2000
"""So many of the newest misses a snapshot holds."""

_Row = TypeVar("_Row", MissRecord, DiagnosisRecord)


Locate = Callable[[str], int | None]
"""The number of the cell that ran under a file name, None for a file."""


def place(filename: str, line: int, locate: Locate) -> Place:
    cell = locate(filename)
    return Place(cell=cell, file="" if cell is not None else _text(filename), line=line)


def _call_site(text: str, locate: Locate) -> Place | None:
    """`text` is "file.py:12", or empty."""
    filename, _, line = text.rpartition(":")
    return place(filename, int(line), locate) if filename and line.isdigit() else None


def function_row(record: FunctionRecord, locate: Locate, apart: Sequence[str] = ()) -> FunctionRow:
    return FunctionRow(
        id=record.id,
        name=_text(record.name),
        module=_text(record.module),
        place=place(record.filename, record.line, locate),
        static_argnames=[_text(name) for name in record.static_argnames],
        donate_argnames=[_text(name) for name in record.donate_argnames],
        alive=record.alive,
        superseded=record.superseded,
        recording=record.recording,
        calls=record.calls,
        hits=record.hits,
        misses=record.misses,
        errors=record.errors,
        inlined=record.inlined,
        created_s=_number(record.created_s),
        trace_s=_number(record.trace_s),
        lower_s=_number(record.lower_s),
        compile_s=_number(record.compile_s),
        apart=[_text(name) for name in apart],
    )


def _names(values: dict[str, str]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in values.items()}


_CLEANED: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(("avals", "arguments", "transformation"), _text),
    **dict.fromkeys(("trace_s", "lower_s", "compile_s", "execute_s", "created_s", "last_used_s"), _number),
    "static": _names,
}
"""Fields of an entry that do not travel as they are."""


_KEPT = tuple(name for name in EntryRow.__annotations__ if name != "apart")
"""The fields that a record has under the same name."""


def entry_row(record: EntryRecord, labels: Labels) -> EntryRow:
    row = {name: getattr(record, name) for name in _KEPT}
    clean = {name: _CLEANED[name](value) if name in _CLEANED else value for name, value in row.items()}
    return cast(EntryRow, {**clean, "apart": [_text(value) for value in labels.values(record)]})


def entry_table(records: Sequence[EntryRecord], labels: Labels) -> Table:
    """The same rows, column by column: of ten thousand a quarter of the time and of the length."""
    table = Table(count=len(records), same={}, each={})
    for name in EntryRow.__annotations__:
        values: list[Any] = (
            [[_text(value) for value in labels.values(record)] for record in records]
            if name == "apart"
            else list(map(attrgetter(name), records))
        )
        if name in _CLEANED:
            values = list(map(_CLEANED[name], values))
        if values and values.count(values[0]) == len(values):
            table["same"][name] = values[0]
        else:
            table["each"][name] = values
    return table


def _causes(causes: Iterable[Cause]) -> list[CauseRow]:
    return [
        CauseRow(cause=cause.cause, argument=_text(cause.argument), before=_text(cause.before), now=_text(cause.now))
        for cause in causes
    ]


def other_row(record: OtherRecord, locate: Locate) -> OtherRow:
    return OtherRow(
        id=record.id,
        function=_text(record.function),
        module=_text(record.module),
        place=_call_site(record.call_site, locate),
        compiles=record.compiles,
        cost_s=_number(record.trace_s + record.lower_s + record.compile_s),
        causes=_causes(record.causes),
    )


def miss_row(record: MissRecord, locate: Locate) -> MissRow:
    return MissRow(
        id=record.id,
        call=record.call,
        function=record.function,
        entry=record.entry,
        causes=_causes(record.causes),
        cost_s=_number(record.cost_s),
        call_site=_call_site(record.call_site, locate),
        started_s=_number(record.started_s),
    )


def diagnosis_row(record: DiagnosisRecord, locate: Locate) -> DiagnosisRow:
    facts = record.diagnosis
    sites = facts.get("sites") or ()
    site = sites[0] if sites and isinstance(sites[0], dict) else {}
    filename, line = site.get("filename"), site.get("line")
    located = place(filename, line, locate) if isinstance(filename, str) and isinstance(line, int) and filename else None
    rewrites = facts.get("rewrites") or facts.get("splits") or ()
    first = rewrites[0] if rewrites and isinstance(rewrites[0], dict) else {}
    return DiagnosisRow(
        id=record.id,
        function=_text(record.function),
        started_s=_number(record.started_s),
        kind=str(facts.get("kind", "")),
        reason=_text(str(facts.get("reason", ""))),
        static_argnames=[_text(str(name)) for name in facts.get("static_argnames") or ()],
        verified=bool(facts.get("verified", False)),
        diff=_text(str(first.get("diff", ""))),
        fix=_text(str(facts.get("fix", ""))),
        place=located,
    )


_FunctionState = tuple[int, int, int, int, int, bool, bool, bool]
_EntryState = tuple[int, float | None, float, int | None, bool, bool]


def _function_state(record: FunctionRecord) -> _FunctionState:
    return (
        record.calls,
        record.hits,
        record.misses,
        record.errors,
        record.inlined,
        record.alive,
        record.superseded,
        record.recording,
    )


def _entry_state(record: EntryRecord) -> _EntryState:
    return (record.hits, record.execute_s, record.last_used_s, record.temp_bytes, record.superseded, record.alive)


@dataclass(slots=True)
class Changes:
    """What `Feed.changes` found; false if it is nothing."""

    rows: Rows
    gone_functions: list[int]
    gone_entries: list[int]
    reset: bool
    now_changed: bool

    def __bool__(self) -> bool:
        rows = self.rows
        found = any(rows[name] for name in ("functions", "entries", "misses", "diagnoses", "others"))
        return bool(found or self.gone_functions or self.gone_entries or self.reset or self.now_changed)


class Feed:
    """Follows a `Log` and says what is new. `hear` runs in the thread of the user's call and only notes ids; rows are made
    later, by whoever asks. Counts of hits are compared when `compare` is asked for, as a hit tells nobody.

    Phases are followed from `start` to `stop`, so that a panel which opens in the middle of a compile sees it; rows only
    between `everything(begin=True)` and `rest`.

    Example:
        >>> feed = Feed(log, wake=lambda: None, locate=lambda filename: None)
        >>> feed.start()
        >>> rows = feed.everything(begin=True)
        >>> news = feed.changes(compare=True)
        >>> feed.stop()
    """

    def __init__(self, log: Log, wake: Callable[[], None], locate: Locate) -> None:
        self._log = log
        self._wake = wake
        self._locate = locate
        self._phases = RunningPhases()
        self._lock = threading.RLock()  # a finalizer may call a jitted function in the middle of it
        self._unsubscribe: Callable[[], None] | None = None
        self.awake = False
        """Whether `wake` is to be called."""
        self._following = False
        self._dirty: dict[str, set[int]] = {}
        self._reset = False
        self._functions: dict[int, _FunctionState] = {}
        self._entries: dict[int, _EntryState] = {}
        self._labels = Labels()
        self._now: list[tuple[int, int, str, int]] = []

    def start(self) -> None:
        if self._unsubscribe is None:
            self._unsubscribe = self._log.listeners.subscribe(self.hear)

    def stop(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self.rest()

    def after_fork(self) -> None:
        """In a forked child, where no panel is: what another thread held is free, and nothing is followed."""
        self._lock, self._phases, self.awake = threading.RLock(), RunningPhases(), False
        self.stop()

    def rest(self) -> None:
        """Nobody wants to know: keep nothing but what runs at the moment."""
        with self._lock:
            self._following = False
            self._dirty.clear()
            self._reset = False
        self._functions.clear()
        self._entries.clear()
        self._labels.clear()
        self._now = []

    def hear(self, event: Event) -> None:
        if isinstance(event, PhaseEvent):
            self._phases.hear(event)
        else:
            self._note(event)
        if self.awake:
            self._wake()

    def _note(self, event: Changed) -> None:
        with self._lock:
            if not self._following:
                return
            if event.what in ("reset", "recording"):
                self._reset = True
                self._dirty.clear()
            else:
                self._dirty.setdefault(event.what, set()).add(event.id)

    def everything(self, *, begin: bool) -> TableRows:
        """All rows, counts folded in. With `begin`, `changes` tells from here on what differs from them; without, what it had
        still to tell stays to be told."""
        self._log.fold()
        if begin:
            with self._lock:
                self._following = True
                self._dirty.clear()
                self._reset = False
        with self._log.lock:
            functions = list(self._log.functions.values())
            entries = list(self._log.entries.values())
            misses = self._log.misses[-MISSES_KEPT:]
            diagnoses = list(self._log.diagnoses)
            self._labels.tell_all(self._log)
            if begin:
                self._functions = {record.id: _function_state(record) for record in functions}
                self._entries = {record.id: _entry_state(record) for record in entries}
            others = sorted(self._log.others.values(), key=lambda other: other.last_s)[-OTHERS_KEPT:]
            rows = self._rows(functions, (), misses, diagnoses, others)
            return cast(TableRows, {**rows, "entries": entry_table(entries, self._labels)})

    def changes(self, *, compare: bool) -> Changes:
        """The rows that changed since the last call (or `everything`). `compare` brings the counts of hits up to date first."""
        if compare:
            self._log.fold()
        with self._lock:
            dirty, self._dirty = self._dirty, {}
            reset, self._reset = self._reset, False
        with self._log.lock:
            function_ids = set(dirty.get("functions", ()))
            entry_ids = set(dirty.get("entries", ()))
            misses = self._newest(self._log.misses, dirty.get("misses", set()))
            diagnoses = self._newest(self._log.diagnoses, dirty.get("diagnoses", set()))
            function_ids.update(record.function for record in misses)
            entry_ids.update(record.entry for record in misses)
            if compare:
                function_ids |= self._changed_functions()
                entry_ids |= self._changed_entries()
            gone_entries = sorted(self._entries.keys() - self._log.entries.keys())
            renamed, retold = self._labels.retell(self._log, entry_ids - self._entries.keys(), bool(gone_entries))
            function_ids |= renamed
            entry_ids |= retold
            functions = [self._log.functions[id_] for id_ in sorted(function_ids) if id_ in self._log.functions]
            entries = [self._log.entries[id_] for id_ in sorted(entry_ids) if id_ in self._log.entries]
            gone_functions = sorted(self._functions.keys() - self._log.functions.keys())
            for function in functions:
                self._functions[function.id] = _function_state(function)
            for entry in entries:
                self._entries[entry.id] = _entry_state(entry)
            for id_ in gone_functions:
                del self._functions[id_]
            for id_ in gone_entries:
                del self._entries[id_]
            for miss in misses:
                self._phases.finished(miss.function)
            wanted = dirty.get("others", set())
            others = [other for other in self._log.others.values() if other.id in wanted] if wanted else []
            rows = self._rows(functions, entries, misses, diagnoses, others)
        now = [(row["thread"], row["function"], row["phase"], len(row["done"])) for row in rows["now"]]
        now_changed, self._now = now != self._now, now
        return Changes(rows, gone_functions, gone_entries, reset, now_changed)

    def totals(self) -> tuple[int, int, float | None]:
        """How many functions are being compiled now; misses and seconds of compiling so far."""
        with self._log.lock:
            functions = self._log.functions.values()
            misses = sum(record.misses for record in functions)
            seconds = sum(record.compile_s for record in functions)
        return len(self._phases.rows()), misses, _number(seconds)

    def cell_ended(self, thread: int) -> None:
        """The cell that `thread` ran is over."""
        self._phases.over(thread)

    @property
    def paused_s(self) -> float | None:
        return self._log.paused_s

    @property
    def working(self) -> bool:
        """Whether something is being traced, lowered or compiled (or ended a moment ago)."""
        return len(self._phases) > 0

    @staticmethod
    def _newest(rows: list[_Row], ids: set[int]) -> list[_Row]:
        """The rows with these ids, in order; they are nearly always the last ones."""
        wanted, found = set(ids), []
        for row in reversed(rows):
            if not wanted:
                break
            if row.id in wanted:
                wanted.discard(row.id)
                found.append(row)
        return found[::-1]

    def _changed_functions(self) -> set[int]:
        return {
            record.id for record in self._log.functions.values() if self._functions.get(record.id) != _function_state(record)
        }

    def _changed_entries(self) -> set[int]:
        known = self._entries
        return {record.id for record in self._log.entries.values() if known.get(record.id) != _entry_state(record)}

    def _rows(
        self,
        functions: Iterable[FunctionRecord],
        entries: Iterable[EntryRecord],
        misses: Iterable[MissRecord],
        diagnoses: Iterable[DiagnosisRecord],
        others: Iterable[OtherRecord],
    ) -> Rows:
        return Rows(
            functions=[function_row(record, self._locate, self._labels.of(record.id).names) for record in functions],
            entries=[entry_row(record, self._labels) for record in entries],
            misses=[miss_row(record, self._locate) for record in misses],
            diagnoses=[diagnosis_row(record, self._locate) for record in diagnoses],
            others=[other_row(record, self._locate) for record in others],
            now=self._phases.rows(),
        )
