"""Jitted functions as rows: their names, which of them live, and which came in another's place."""

from __future__ import annotations

import time
import types
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jupyter_jitmagic.base.looking import attribute, text_attribute
from jupyter_jitmagic.base.wording import short_name
from jupyter_jitmagic.recording.calls.function_state import FunctionState
from jupyter_jitmagic.recording.causes.signatures import Signature
from jupyter_jitmagic.recording.compiles import spans
from jupyter_jitmagic.recording.executions import observation
from jupyter_jitmagic.recording.jitted import Jitted
from jupyter_jitmagic.records.log import Changed, FunctionRecord, log
from jupyter_jitmagic.usercode.origin import Earlier, Origin, file_of, line_of, origin_of, qualname_of


@dataclass(slots=True)
class _Lineage:
    """The functions made at one place, of which the latest counts; one that never compiled hands on what it inherited."""

    function: int
    made: Earlier
    signatures: list[Signature] = field(default_factory=list)
    inherited: Callable[[], list[Signature]] | None = None

    def compiled(self) -> list[Signature]:
        return self.inherited() if self.inherited is not None and not self.signatures else self.signatures


_lineages: dict[Origin, _Lineage] = {}
_LINEAGE_LIMIT = 10_000


def register(fun: Callable[..., Any], jitted: Any, jit_arguments: dict[str, Any], timing: str | None) -> FunctionState:
    """A row and a state for a function that has just been put under jit."""
    bury()
    origin = origin_of(fun)
    number, lineage = log.new_id("function"), _lineages.get(origin)
    remade = None
    if lineage is not None:
        if lineage.made.is_made_again_as(fun, origin):
            _supersede(lineage.function)
        remade = _compiled_before(lineage, _weak(fun), origin, number)
    record = FunctionRecord(
        id=number,
        name=_unused_name(short_name(qualname_of(fun))),
        module=origin.module,
        qualname=qualname_of(fun),
        filename=file_of(fun),
        line=line_of(fun),
        created_s=time.time(),
        origin=origin,
    )
    facts = Jitted(fun, jitted, jit_arguments, record, origin)
    state = FunctionState(facts, timing, remade)
    record.static_argnames = _names(fun, facts.jit_options.static_argnums, facts.jit_options.static_argnames)
    record.donate_argnames = _names(fun, facts.jit_options.donate_argnums, facts.jit_options.donate_argnames)
    if len(_lineages) > _LINEAGE_LIMIT:
        _lineages.clear()
    _lineages[origin] = _Lineage(record.id, Earlier(fun), state.entries.history, remade)
    _by_name.setdefault(text_attribute(fun, "__name__"), weakref.WeakValueDictionary())[record.id] = state
    spans.living[record.id] = state
    log.add_function(record)
    return state


def _compiled_before(
    lineage: _Lineage, made: weakref.ref[Any] | None, origin: Origin, number: int
) -> Callable[[], list[Signature]]:
    """What the functions compiled in whose place this one came. Only when it is called it is known which those are: until then
    the earlier one may live on, as under the name that is about to be bound anew."""

    def compiled() -> list[Signature]:
        fun = made() if made is not None else None
        if fun is None or not lineage.made.is_made_again_as(fun, origin):
            return []
        _supersede(lineage.function)
        _take_name(number)
        return lineage.compiled()

    return compiled


def state_of(function: int) -> FunctionState | None:
    """The living function of a row."""
    state: FunctionState | None = spans.living.get(function)
    return state


def look_closely() -> None:
    """Own work begins: which calls are ours is asked where a call is settled."""
    for state in spans.all_living():
        state.look_closely()


_by_name: dict[str, weakref.WeakValueDictionary[int, FunctionState]] = {}


def traced_outside(span: spans.Span) -> None:
    """Something outside our calls traced a function of this name: another jit of ours, or an ahead-of-time compile."""
    named = _by_name.get(span.name) if span.phase == "trace" else None
    if named is not None:
        for reference in named.valuerefs():  # not the dictionary itself: other threads add to it
            state = reference()
            if state is not None:
                state.look_closely()


_collected: deque[int] = deque()

ended = _collected.append
"""The jitted function with this number was collected. That may happen at any instruction of any thread and under any lock: so
this only notes it, and `bury` does the rest."""


def bury() -> None:
    """Of functions that were collected the rows stay, their entries are dead. Part of a fold."""
    for _ in range(len(_collected)):
        try:
            function = _collected.popleft()
        except IndexError:  # another thread was quicker
            return
        record = log.known_function(function)
        if record is None:
            continue
        record.alive = False
        with log.lock:
            for entry in log.entries_of(function):
                entry.alive = False
                observation.forget(entry.id)
        log.listeners.emit(Changed("functions", function))


def _supersede(function: int) -> None:
    record = log.known_function(function)
    if record is None or record.superseded:
        return
    record.superseded = True
    with log.lock:
        for entry in log.entries_of(function):
            entry.superseded = True
    log.listeners.emit(Changed("functions", function))


def _take_name(function: int) -> None:
    """It was one more function of its name when it was made, and is the only one now."""
    record = log.known_function(function)
    if record is not None:
        with log.lock:
            record.name = _unused_name(short_name(record.qualname), of=record)
        log.listeners.emit(Changed("functions", function))


def _unused_name(name: str, of: FunctionRecord | None = None) -> str:
    with log.lock:
        taken = {
            record.name for record in log.functions.values() if record.alive and not record.superseded and record is not of
        }
    number, chosen = 2, name
    while chosen in taken:
        chosen, number = f"{name}#{number}", number + 1
    return chosen


def _names(fun: Callable[..., Any], nums: tuple[int, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    code = attribute(fun, "__code__")
    positional = code.co_varnames[: code.co_argcount] if isinstance(code, types.CodeType) else ()
    by_number = [positional[num] if -len(positional) <= num < len(positional) else str(num) for num in nums]
    return tuple(dict.fromkeys([*by_number, *names]))


def _weak(fun: Any) -> weakref.ref[Any] | None:
    try:
        return weakref.ref(fun)
    except TypeError:
        return None
