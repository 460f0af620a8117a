"""The path of a cache hit, and the buffer that it writes to. Every nanosecond here is paid by every call.

A hit is: two clock readings, a few comparisons, and start, end and entry at the end of a list (packing them there and then
costs more than packing thousands at once: 4 % of a small call). Everything else lies behind one of the comparisons: the
function's gate has come (now and then, and whenever something compiles or jit is disabled), or the call is inside a trace or
transformation. `fold` moves the buffer into the columns of the log.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import sys
from collections.abc import Callable, Sized
from time import perf_counter
from types import CodeType, FrameType
from typing import Any, Protocol

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base import own_work
from jupyter_jitmagic.base.jax_internals import AVAL_OF_ARRAY, CONCRETE_ARRAY, IDLE, TRACE
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.recording.compiles import spans
from jupyter_jitmagic.records.columns import WIDTH
from jupyter_jitmagic.records.log import MissRecord, log

_aval_of: Any = AVAL_OF_ARRAY
"""None where JAX's arrays have no such thing: no `shape_of` is given then."""
_DETAIL = -(1 << 30)
_AT_ONCE = -math.inf
_FOLD_AT = 4096
_FULL = 0.75
_UNFOLDED_S = 0.05
"""After this time at the latest it is looked how full the buffer is: calls may come more quickly than before."""

_buffer: list[float] = []
extend = _buffer.extend
_emptied = 0.0
"""When a buffer was begun."""
_each_s = 0.0
"""How long it took between two rows while the one before was filled."""
_retired: list[list[Any]] = []
"""Pairs of an old buffer and how much of it was moved: a thread may still be about to write to it."""
_unfilled: tuple[tuple[int, tuple[float, ...], int], ...] = ()
"""What was moved and still has the details' keys for places: number of the first call, values, rows of the buffer before."""
_details: dict[int, Detail] = {}
_detail_ids = itertools.count(1)


class Detail:
    """One call that is more than a plain hit: what its row says beside its two times."""

    __slots__ = ("call", "hint", "miss", "outcome", "phases", "place", "when_known")

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
        self.miss: MissRecord | None = None
        """What wants to know the number too."""
        self.hint = 0
        """Where in the buffer its row stands at the earliest."""


class Owner(Protocol):
    """What a call closure needs of its function's state."""

    function: int

    @property
    def name(self) -> str: ...
    def look_closely(self) -> None: ...
    def settle(self, start: float, end: float, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def failed(
        self, start: float, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException
    ) -> Callable[[], Any] | None: ...


Steer = Callable[..., None]
Select = Callable[[tuple[Any, ...], dict[str, Any], dict[Any, float]], float | None]
"""Of a call's arguments its entry, by what was learned; None or an exception where a closer look is due."""


def build(
    jitted: Callable[..., Any], state: Owner, watching: Sized, peek: Callable[[], None]
) -> tuple[Callable[..., Any], Steer]:
    """The function that stands for `jitted` and records its calls, and what steers it. Before a call it asks `peek` to look at
    the executions that are `watching`, if there are any.

    ``steer(gate=, select=, shape_of=, learned=, only=, jitted=)`` sets from which time on a call is settled closely (at once
    while a call may be our own), how a hit finds its entry (None: there is but one, `only`), and what is called. `shape_of` is
    the positional argument whose shape tells entries apart: what `select` looks at, without calling it. It does not hold
    `state`.
    """
    gate = float("-inf")
    only = 0.0
    select: Select | None = None
    shape_of: int | None = None
    learned: dict[Any, float] = {}

    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if watching:
            peek()
        start = perf_counter()
        try:
            out = jitted(*args, **kwargs) if kwargs else jitted(*args)  # merging no keywords would cost 0.1 µs
        except BaseException as error:
            try:
                instead = state.failed(start, args, kwargs, error)
            except RecursionError:  # there was no room for our frames
                instead = None
            if instead is None:
                raise
        else:
            end = perf_counter()
            if end > gate or (type(out) is not CONCRETE_ARRAY and TRACE.value is not IDLE):
                try:
                    return state.settle(start, end, out, args, kwargs)
                except RecursionError:  # as above
                    return out
            if select is None:
                extend((start, end, only))
                return out
            try:
                entry = select(args, kwargs, learned) if shape_of is None else learned[_aval_of(args[shape_of]).shape]
            except Exception:
                entry = None
            if entry is None:
                try:
                    return state.settle(start, end, out, args, kwargs)
                except RecursionError:
                    return out
            extend((start, end, entry))
            return out
        return instead()

    def steer(**new: Any) -> None:
        nonlocal gate, only, select, shape_of, learned, jitted
        asked = new.get("gate", gate)
        gate = _AT_ONCE if own_work.threads else asked  # no other thread has its turn in between, and begins with own work
        only = float(new.get("only", only))
        select = new.get("select", select)
        shape_of = new.get("shape_of", shape_of)
        learned = new.get("learned", learned)
        jitted = new.get("jitted", jitted)

    return call, steer


def _who(frame: FrameType) -> Owner:
    owner: Owner = frame.f_locals["state"]
    return owner


_CODE: CodeType = build(len, None, (), len)[0].__code__  # type: ignore[arg-type]
spans.belongs_to(_CODE, _who)


def is_call(code: CodeType) -> bool:
    """Whether a frame that runs this code is a call of ours, with ``state args kwargs`` among its locals."""
    return code is _CODE


def append_hit(start: float, end: float, entry: int) -> None:
    extend((start, end, entry))


def append(start: float, end: float, detail: Detail) -> None:
    """A row with more to say than a plain hit."""
    key = _DETAIL - next(_detail_ids)
    detail.hint = len(_buffer) // WIDTH
    _details[key] = detail
    extend((start, end, key))


def appended() -> int:
    """How many rows there have been so far, of all functions."""
    return log.columns.first + len(log.columns) + len(_buffer) // WIDTH


def latest_end() -> float:
    """When the call of the latest row returned; NaN where the buffer was emptied since."""
    buffer = _buffer
    return buffer[1 - WIDTH] if buffer else math.nan


def full_at(now: float) -> float:
    """Until when the buffer is hardly full, going by how quickly rows came so far; it is emptied if it is full now."""
    rows = len(_buffer) // WIDTH
    if rows >= _FULL * _FOLD_AT:
        fold()
        rows = 0
    return now + min((_FOLD_AT - rows) * _each_s, _UNFOLDED_S)


def fold() -> None:
    """Move the buffer into the columns."""
    global _buffer, extend, _emptied, _each_s
    if log.is_changing():
        return
    with log.lock:
        log.make_good()
        now, rows = perf_counter(), len(_buffer) // WIDTH
        if rows:
            _each_s = (now - _emptied) / rows
        _emptied = now
        if not _buffer and not _retired:
            return
        old, _buffer = _buffer, []
        extend = _buffer.extend
        _retired.append([old, 0])
        for pair in _retired:
            _move(pair)
        _fill()
        _retired[:] = [pair for pair in _retired if sys.getrefcount(pair[0]) > _REFERENCES]
        extra = len(log.columns) - options.keep_calls
        if extra > options.keep_calls // 4:  # seldom, as all that is kept has to move
            log.drop_oldest(extra)


def _references() -> int:
    """What `getrefcount` says of a buffer that nobody but its pair holds."""
    pairs: list[list[Any]] = [[[], 0]]
    counts = [sys.getrefcount(pair[0]) for pair in pairs]
    return counts[0]


_REFERENCES = _references()


def _move(pair: list[Any]) -> None:
    global _unfilled
    buffer, moved = pair
    values = tuple(buffer[moved:] if moved else buffer)
    if not values:
        return
    moved_then = moved + len(values)
    unfilled = (*_unfilled, (log.columns.first + len(log.columns), values, moved // WIDTH))
    log.columns.extend(values)
    pair[1], _unfilled = moved_then, unfilled  # no Ctrl-C comes between the end of the line before and these


def _fill() -> None:
    """Say of the rows that were moved what is more than a plain hit. Whatever Ctrl-C cut short is done again."""
    global _unfilled
    columns = log.columns
    while _unfilled:
        first, values, before = _unfilled[0]
        for key in list(_details):  # not its items: other threads add to it, and making pairs may let them run
            detail = _details[key]
            row = _row_of(key, values, detail.hint - before)
            if row is not None:
                try:
                    if first + row >= columns.first:
                        _fill_in(first + row - columns.first, detail)
                except Exception:  # a fault of ours, which would come again with every fold
                    del _details[key]
                    raise
                del _details[key]
        _unfilled = _unfilled[1:]


def _row_of(key: int, values: tuple[float, ...], hint: int) -> int | None:
    """Where in `values` the row of a detail stands: at or after the hint, unless the buffer was changed in between."""
    for begin in (WIDTH * max(hint, 0), 0):
        with contextlib.suppress(ValueError):
            return values.index(key, begin) // WIDTH
    return None


def _fill_in(row: int, detail: Detail) -> None:
    columns = log.columns
    columns.change(row, detail.place, detail.outcome)
    detail.call = columns.first + row
    if detail.phases is not None:
        columns.phases[detail.call] = detail.phases
    if detail.miss is not None:
        detail.miss.call = detail.call
    if detail.when_known is not None:
        detail.when_known(detail.call)
        detail.when_known = None


internals.hide_frames(__file__)
