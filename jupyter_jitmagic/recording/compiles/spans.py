"""When JAX traced, lowered and compiled: spans from `jax.monitoring`, kept for the call they belong to.

JAX's events carry a function's name and no call. They fire in the thread of the call, so a span belongs to the jitted call of
ours that is on that thread's stack; spans with none on it go to `outside`. A call takes its spans when it returns; one that
runs inside an enclosing trace leaves them to the call that traces.
"""

from __future__ import annotations

import math
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from threading import get_ident
from types import CodeType, FrameType
from typing import Any, NamedTuple, Protocol

from jupyter_jitmagic.base import jax_frames
from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.own_work import is_own_work
from jupyter_jitmagic.recording.compiles.hearing import Hearing
from jupyter_jitmagic.records.log import Phase, PhaseEvent, log

_PHASES: dict[str, Phase] = {
    internals.TRACE_EVENT: "trace",
    internals.LOWER_EVENT: "lower",
    internals.COMPILE_EVENT: "compile",
}


class Span(NamedTuple):
    """One phase that ended. Times are `time.perf_counter` seconds; `disk` tells that the compile came from the disk cache."""

    phase: Phase
    start: float
    end: float
    name: str
    disk: bool = False


class Phases(NamedTuple):
    """What one call spent, each second counted once: a compile nested in a trace is compile time, not trace time.

    A phase that did not occur is None. `began` and `ended` are when the first began and the last ended, `disk` whether each
    compile came from the disk cache.
    """

    trace_s: float | None
    lower_s: float | None
    compile_s: float | None
    began: float
    ended: float
    disk: bool

    @property
    def compiled(self) -> bool:
        return self.lower_s is not None or self.compile_s is not None

    @property
    def cost_s(self) -> float:
        return (self.trace_s or 0.0) + (self.lower_s or 0.0) + (self.compile_s or 0.0)


pending: dict[int, list[Span]] = {}
"""Spans by thread that wait for their call to return. While anything is in here, no gate may be put off: calls look closely."""


class _Thread(threading.local):
    """Something that ends with its thread. `sys._current_frames` would tell as well, but may deadlock: on some Pythons it
    collects garbage while it keeps threads from beginning and ending."""

    def __init__(self) -> None:
        self.alive = _Alive()


class _Alive:
    __slots__ = ("__weakref__",)


_this_thread = _Thread()
_waiting_threads: dict[int, weakref.ref[_Alive]] = {}
"""By thread in `pending`, what tells whether it has ended."""

_DISABLED = 0
"""The key in `pending` that stands for ``jax.disable_jit()`` in some thread."""


class Call(Protocol):
    """A jitted function of ours, found on a thread's stack."""

    function: int

    @property
    def name(self) -> str: ...

    def look_closely(self) -> None:
        """The call that runs is no plain hit."""


living: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
"""Every jitted function of ours (`Call`) by its number."""


def all_living() -> Iterator[Any]:
    """Each of them, while other threads add more: a look at a weak set may fail then."""
    for reference in living.valuerefs():
        call = reference()
        if call is not None:
            yield call


def _jit_disabled(somewhere: bool) -> None:
    with faults.stop("following jax.disable_jit"):  # JAX would leave its option half changed
        if somewhere:
            pending[_DISABLED] = []
            for call in all_living():
                call.look_closely()
        else:
            pending.pop(_DISABLED, None)


compiled_until = -math.inf
"""When a compile of whatever function ended the last time, in any thread: calls that began before may have waited for it."""

_recent: deque[tuple[float, float]] = deque(maxlen=64)
"""When something was traced, lowered or compiled lately, in whatever thread."""
_begun: dict[int, tuple[float, weakref.ref[_Alive]]] = {}
"""Since when each thread is at it, and what tells whether that thread has ended: its number may be another's by now."""
_LONGEST_S = 300.0
"""A thread that has been at it for longer is taken to have failed meanwhile."""


def anything_compiled(since: float, until: float) -> bool:
    """Whether anything was traced, lowered or compiled between these times, or is since then."""
    if any(start < until and end > since for start, end in tuple(_recent)):
        return True
    if _begun:
        error_ended()
        for thread, (begun, alive) in tuple(_begun.items()):
            if alive() is None or until - begun > _LONGEST_S:
                _begun.pop(thread, None)
    return any(begun < until for begun, _ in tuple(_begun.values()))


def error_ended() -> None:
    """What the calling thread traced, lowered or compiled may have ended with an error, of which JAX says nothing here."""
    if internals.TRACE.value is internals.IDLE:
        _begun.pop(get_ident(), None)


outside: list[Callable[[Span], None]] = []
"""Who wants the spans that belong to no call of ours."""

_disk_hits: set[int] = set()
_wrapper_codes: dict[CodeType, Callable[[FrameType], Call]] = {}


def belongs_to(code: CodeType, who: Callable[[FrameType], Call]) -> None:
    """Calls that run `code` are ours; `who` reads the function from such a frame."""
    _wrapper_codes[code] = who


def owner_of(frame: FrameType) -> Any | None:
    """Whose call this frame runs (`Call`), if it is one of ours; it then has ``args`` and ``kwargs`` among its locals."""
    who = _wrapper_codes.get(frame.f_code)
    return None if who is None else who(frame)


def take(since: float) -> Phases | None:
    """The spans of this thread that began at or after `since`, summed; None if there are none. They are no longer pending."""
    spans = pending.get(get_ident())
    if not spans:
        return None
    mine = [span for span in spans if span.start >= since - _CLOCK_SLACK]
    if any(span.name is _LOST for span in mine):
        pending.pop(get_ident(), None)
        raise Lost
    rest = [span for span in spans if span.start < since - _CLOCK_SLACK and _is_own_call(2)]
    if rest:
        pending[get_ident()] = rest
    else:
        pending.pop(get_ident(), None)
    return summed(mine) if mine else None


def leave() -> None:
    """A call inside an enclosing trace returns: its spans are for the jitted call of ours that traces, if there is one."""
    if pending and not _is_own_call(2):
        pending.pop(get_ident(), None)


def anything_compiles() -> bool:
    """Whether spans wait for a call, or jit is disabled somewhere. Spans of threads that have ended are dropped."""
    if not pending:
        return False
    for thread, alive in tuple(_waiting_threads.items()):
        if thread not in pending or alive() is None:
            pending.pop(thread, None)
            _waiting_threads.pop(thread, None)
    return bool(pending)


_CLOCK_SLACK = 5e-6
"""JAX stamps spans with `time.time`, calls are stamped with `perf_counter`."""


def summed(spans: list[Span]) -> Phases:
    """Each span's time without that of the spans inside it, by phase."""
    ordered = sorted(spans, key=lambda span: (span.start, -span.end))
    own = [span.end - span.start for span in ordered]
    open_: list[int] = []
    for i, span in enumerate(ordered):
        while open_ and ordered[open_[-1]].end < span.end:
            open_.pop()
        if open_:
            own[open_[-1]] -= span.end - span.start
        open_.append(i)
    totals: dict[Phase, float] = {}
    for span, seconds in zip(ordered, own, strict=True):
        totals[span.phase] = totals.get(span.phase, 0.0) + max(seconds, 0.0)
    compiles = [span for span in ordered if span.phase == "compile"]
    disk = bool(compiles) and all(span.disk for span in compiles)
    return Phases(
        totals.get("trace"),
        totals.get("lower"),
        totals.get("compile"),
        ordered[0].start,
        max(span.end for span in ordered),
        disk,
    )


def _enclosing() -> list[Call]:
    """The jitted functions of ours whose calls are on this thread's stack, innermost first. What a running program calls back
    is no part of its call."""
    frame: FrameType | None = sys._getframe(2)
    found: list[Call] = []
    while frame is not None and not jax_frames.is_callback(frame.f_code):
        call = owner_of(frame)
        if call is not None:
            found.append(call)
        frame = frame.f_back
    return found


def _named(calls: list[Call], otherwise: str) -> tuple[int, str]:
    return (calls[0].function, calls[0].name) if calls else (0, otherwise)


def _is_own_call(depth: int) -> bool:
    """Whether a jitted call of ours encloses the one that asks."""
    frame: FrameType | None = sys._getframe(depth)
    seen = 0
    while frame is not None:
        seen += frame.f_code in _wrapper_codes
        frame = frame.f_back
    return seen > 1


def _on_start(event: str, value: float, **kwargs: Any) -> None:
    phase = _PHASES.get(event)
    if phase is None:
        return
    try:
        if is_own_work():
            return
        if phase == "compile":
            _disk_hits.discard(get_ident())
        begun = _begun.get(get_ident())
        if begun is None or begun[1]() is not _this_thread.alive:
            _begun[get_ident()] = time.perf_counter(), weakref.ref(_this_thread.alive)
        if log.listeners:
            function, name = _named(_enclosing(), str(kwargs.get("fun_name", "")))
            log.listeners.emit(PhaseEvent(function, name, phase, value, None, get_ident()))
    except Exception as error:
        faults.report("following a phase", error)


def _on_span(event: str, start_time: float, end_time: float, **kwargs: Any) -> None:
    global compiled_until
    phase = _PHASES.get(event)
    if phase is None:
        return
    try:
        if is_own_work():
            return
        thread, end = get_ident(), time.perf_counter()
        _begun.pop(thread, None)
        _recent.append((end - (end_time - start_time), end))
        if phase == "compile":
            compiled_until = end
        disk = phase == "compile" and thread in _disk_hits
        span = Span(phase, end - (end_time - start_time), end, str(kwargs.get("fun_name", "")), disk)
        calls = _enclosing()
        if calls:
            _waiting_threads[thread] = weakref.ref(_this_thread.alive)
            pending.setdefault(thread, []).append(span)
            for call in calls:
                call.look_closely()
        else:
            for listener in tuple(outside):
                listener(span)
        if log.listeners:
            function, name = _named(calls, span.name)
            log.listeners.emit(PhaseEvent(function, name, phase, start_time, end_time - start_time, thread))
    except Exception as error:
        _lose(error)


def _on_event(event: str, **kwargs: Any) -> None:
    if event == internals.DISK_HIT_EVENT:
        _disk_hits.add(get_ident())


class Lost(Exception):
    """A phase of this call was lost by a fault of ours, which was told: what the call did is not known, so it has no row."""


_LOST = "lost"


def _lose(error: Exception) -> None:
    """The call that compiles in this thread must not pass for one that did not."""
    faults.report("following a phase", error, "the call that compiles now has no row")
    with faults.stop("following a phase"):
        now = time.perf_counter()
        pending.setdefault(get_ident(), []).append(Span("compile", now, now, _LOST))
        for call in all_living():
            call.look_closely()


_HEARINGS = (Hearing("event_time_span", _on_span), Hearing("scalar", _on_start), Hearing("event", _on_event))
_installed = False


def install() -> bool:
    """Begin to listen; False if that is so already."""
    global _installed
    first = not _installed
    if first:
        _installed = True
        internals.follow_disable_jit(_jit_disabled)
        for hearing in _HEARINGS:
            hearing.begin()
    return first


def uninstall() -> None:
    """Stop listening: no listener of ours stays with JAX."""
    global _installed
    if _installed:
        _installed = False
        for hearing in _HEARINGS:
            hearing.end()
        internals.unfollow_disable_jit()
        pending.clear()
