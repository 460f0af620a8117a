"""The path of a cache hit, and the buffer that it writes to. Every nanosecond here is paid by every call.

A hit is: two clock readings, a few comparisons, one `list.extend` of (start, end, entry). Everything else lies behind one of
the comparisons: the function's gate has come (now and then, and whenever something compiles or jit is disabled), or the call
is inside a trace or transformation. `fold` moves the buffer into the columns of the log.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from time import perf_counter, time
from types import FrameType
from typing import Any, Protocol

from jupyter_jitmagic import _jax_internals as internals
from jupyter_jitmagic._options import options
from jupyter_jitmagic._records import log
from jupyter_jitmagic.recording import _timing, _waiter

_DETAIL = -(1 << 30)
_FOLD_AT = 3 * 4096

_buffer: list[Any] = []
extend = _buffer.extend
_retired: list[list[Any]] = []
"""Pairs of an old buffer and how much of it was moved: a thread may still be about to write to it."""
_details: dict[int, Detail] = {}
_detail_ids = itertools.count(1)


class Detail:
    """One call that is more than a plain hit: what its row says beside its two times."""

    __slots__ = ("call", "hint", "outcome", "phases", "place", "when_known")

    def __init__(
        self,
        place: int,
        outcome: int,
        phases: tuple[float, float, float] | None = None,
        when_known: Callable[[int], None] | None = None,
    ) -> None:
        self.place = place
        self.outcome = outcome
        self.phases = phases
        self.call = 0
        """The call's number, 0 until it is folded."""
        self.when_known = when_known
        self.hint = 0
        """Where in the buffer its row stands at the earliest."""


class Owner(Protocol):
    """What a call closure needs of its function's state."""

    function: int
    name: str

    def look_closely(self) -> None: ...
    def settle(self, start: float, end: float, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def failed(
        self, start: float, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException
    ) -> Callable[[], Any] | None: ...


Steer = Callable[..., None]


def build(jitted: Callable[..., Any], state: Owner) -> tuple[Callable[..., Any], Steer]:
    """The function that stands for `jitted` and records its calls, and what steers it.

    ``steer(gate=, select=, only=, jitted=)`` sets from which time on a call is settled closely, how a hit finds its entry
    (None: there is but one, `only`), and what is called. It does not hold `state`.
    """
    gate = float("-inf")
    only = 0
    select: Callable[[tuple[Any, ...], dict[str, Any]], int | None] | None = None
    trace, idle, array = internals.TRACE, internals.IDLE, internals.CONCRETE_ARRAY
    watching, peek, clock = _waiter.watching, _waiter.peek, perf_counter

    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if watching:
            peek()
        start = clock()
        try:
            out = jitted(*args, **kwargs) if kwargs else jitted(*args)  # merging no keywords would cost 0.1 µs
        except BaseException as error:
            instead = state.failed(start, args, kwargs, error)
            if instead is None:
                raise
        else:
            end = clock()
            if end > gate or (type(out) is not array and trace.value is not idle):
                return state.settle(start, end, out, args, kwargs)
            if select is None:
                extend((start, end, only))
                return out
            try:
                entry = select(args, kwargs)
            except Exception:
                entry = None
            if entry is None:
                return state.settle(start, end, out, args, kwargs)
            extend((start, end, entry))
            return out
        return instead()

    def steer(**new: Any) -> None:
        nonlocal gate, only, select, jitted
        gate = new.get("gate", gate)
        only = new.get("only", only)
        select = new.get("select", select)
        jitted = new.get("jitted", jitted)

    return call, steer


def _who(frame: FrameType) -> Owner:
    owner: Owner = frame.f_locals["state"]
    return owner


CALL_CODE = build(len, None)[0].__code__  # type: ignore[arg-type]
"""The code of every call closure: by it a frame is known to be ours."""

_timing.belongs_to(CALL_CODE, _who)


def append_hit(start: float, end: float, entry: int) -> None:
    extend((start, end, entry))


def append(start: float, end: float, detail: Detail) -> None:
    """A row with more to say than a plain hit."""
    key = _DETAIL - next(_detail_ids)
    detail.hint = len(_buffer)
    _details[key] = detail
    extend((start, end, key))


def is_full() -> bool:
    return len(_buffer) >= _FOLD_AT


def fold() -> None:
    """Move the buffer into the columns."""
    global _buffer, extend
    with log.lock:
        if not _buffer and not _retired:
            return
        _retired.append([_buffer, 0])
        _buffer = []
        extend = _buffer.extend
        for pair in _retired:
            _move(pair)
        _retired[:] = [pair for pair in _retired if sys.getrefcount(pair[0]) > _REFERENCES]
        log.count_ahead()
        extra = len(log.columns) - options.keep_calls
        if extra > options.keep_calls // 20:
            log.drop_oldest(extra)


def _references() -> int:
    """What `getrefcount` says of a buffer that nobody but its pair holds."""
    pairs: list[list[Any]] = [[[], 0]]
    counts = [sys.getrefcount(pair[0]) for pair in pairs]
    return counts[0]


_REFERENCES = _references()


def _move(pair: list[Any]) -> None:
    buffer, moved = pair
    calls = buffer[moved:]
    pair[1] = moved + len(calls)
    if not calls:
        return
    columns = log.columns
    first = len(columns)
    columns.extend(calls)
    for key in list(_details):  # not its items: other threads add to it, and making pairs may let them run
        detail = _details[key]
        row = _row_of(key, calls, detail.hint - moved)
        if row is not None:
            del _details[key]
            _fill_in(first + row, detail)


def _row_of(key: int, calls: list[Any], hint: int) -> int | None:
    """Where in `calls` the row of a detail stands: at or after the hint, unless the buffer was changed in between."""
    for start in (max(hint, 0), 0):
        try:
            return calls.index(key, start) // 3
        except ValueError:
            continue
    return None


def _fill_in(row: int, detail: Detail) -> None:
    columns = log.columns
    columns.change(row, detail.place, detail.outcome)
    detail.call = columns.first + row
    if detail.phases is not None:
        columns.phases[detail.call] = detail.phases
    if detail.when_known is not None:
        detail.when_known(detail.call)
        detail.when_known = None


internals.hide_frames(__file__)
log.clock_offset = time() - perf_counter()
log.folders.append(fold)
