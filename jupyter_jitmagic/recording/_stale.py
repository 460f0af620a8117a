"""Entries that go on with a value which has changed since they were traced: found when a cell has run, told once."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_jitmagic._errors import faults
from jupyter_jitmagic._records import FunctionRecord, log
from jupyter_jitmagic.recording._captured import Captured, Change
from jupyter_jitmagic.recording._signatures import static_arguments

if TYPE_CHECKING:
    from jupyter_jitmagic.recording._recording import FunctionState

_ENTRIES_KEPT = 100

_states: weakref.WeakValueDictionary[int, FunctionState] = weakref.WeakValueDictionary()


class Stale(NamedTuple):
    """A function of which a call since `since` used an entry traced with another value than the name has now."""

    function: FunctionRecord
    change: Change


def note_trace(state: FunctionState, entry: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """An entry was traced just now by this call: remember what it read."""
    try:
        given = state.jit_options
        statics = static_arguments(state.fun, args, kwargs, given.static_argnums, given.static_argnames)
        state.captured[entry] = Captured.of(state.fun, statics)
        if len(state.captured) > _ENTRIES_KEPT:
            del state.captured[next(iter(state.captured))]
        _states[state.function] = state
    except Exception as error:
        faults.report("remembering which globals were read", error)


def stale(since: float) -> Iterator[Stale]:
    """Every stale value that a call at or after Unix time `since` has used, once for each function and name."""
    log.fold()
    for reference in _states.valuerefs():  # not the dictionary itself: other threads add to it
        state = reference()
        if state is None or state.record.superseded or not state.record.alive:
            continue
        seen: set[str] = set()
        for entry, captured in tuple(state.captured.items()):
            record = log.known_entry(entry)
            if record is None or not record.alive or record.last_used_s < since:
                continue
            for change in captured.changes():
                if change.name not in seen:
                    seen.add(change.name)
                    yield Stale(state.record, change)
