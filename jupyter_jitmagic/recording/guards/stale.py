"""Entries that go on with a value which has changed since they were traced: found when a cell has run, told once."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import NamedTuple

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.recording.causes.binding import static_arguments
from jupyter_jitmagic.recording.guards.captured import Captured, ReadChange
from jupyter_jitmagic.recording.jitted import Jitted, Missed
from jupyter_jitmagic.records.log import FunctionRecord, log

_ENTRIES_KEPT = 100

_read: weakref.WeakKeyDictionary[Jitted, dict[int, Captured]] = weakref.WeakKeyDictionary()
"""What the trace of each entry read from outside its arguments, by function."""


class Stale(NamedTuple):
    """A function of which a call since `since` used an entry traced with another value than the name has now."""

    function: FunctionRecord
    change: ReadChange
    used_s: float
    """Unix time of the latest call that used such an entry."""


def note_miss(facts: Jitted, missed: Missed) -> None:
    """An entry was traced just now: remember what it read. An `Observer`."""
    try:
        given = facts.jit_options
        statics = static_arguments(facts.fun, missed.args, missed.kwargs, given.static_argnums, given.static_argnames)
        captured = _read.setdefault(facts, {})
        captured[missed.entry] = Captured.of(facts.fun, statics)
        if len(captured) > _ENTRIES_KEPT:
            del captured[next(iter(captured))]
    except Exception as error:
        faults.report("remembering which globals were read", error)


def stale(since: float) -> Iterator[Stale]:
    """Every stale value that a call at or after Unix time `since` has used, once for each function and name."""
    log.fold()
    for reference in _read.keyrefs():  # not the dictionary itself: other threads add to it
        facts = reference()
        if facts is None or facts.record.superseded or not facts.record.alive:
            continue
        found: dict[str, Stale] = {}
        for entry, captured in tuple(_read.get(facts, {}).items()):
            record = log.known_entry(entry)
            if record is None or not record.alive or record.last_used_s < since:
                continue
            for change in captured.changes():
                first = found.setdefault(change.name, Stale(facts.record, change, record.last_used_s))
                if first.used_s < record.last_used_s:
                    found[change.name] = first._replace(used_s=record.last_used_s)
        yield from found.values()
