"""The path of a cache hit, and the buffer that it writes to. Every nanosecond here is paid by every call.

A hit is: two clock readings, a few comparisons, and start, end and entry at the end of a list (packing them there and then
costs more than packing thousands at once: 4 % of a small call). Everything else lies behind one of the comparisons: the
function's gate has come (now and then, and whenever something compiles or jit is disabled), or the call is inside a trace or
transformation. `fold` moves the buffer into the columns of the log.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import sys
from collections.abc import Callable
from time import perf_counter, time
from types import CodeType, FrameType, FunctionType
from typing import Any, Protocol

from jupyter_jitmagic import _jax_internals as internals
from jupyter_jitmagic._columns import WIDTH, find_place, packed
from jupyter_jitmagic._options import options
from jupyter_jitmagic._records import log
from jupyter_jitmagic.recording import _timing, _waiter
from jupyter_jitmagic.recording._attribution import Select

_DETAIL = -(1 << 30)
_FOLD_AT = 4096
_FULL = 0.75
_QUICKEST_S = 2e-6
"""A call takes no less, about."""

_buffer: list[float] = []
extend = _buffer.extend
_emptied = 0.0
"""When a buffer was begun."""
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

    ``steer(gate=, select=, learned=, only=, jitted=)`` sets from which time on a call is settled closely, how a hit finds its
    entry (None: there is but one, `only`), and what is called. It does not hold `state`.
    """
    gate = float("-inf")
    only = 0.0
    select: Select | None = None
    learned: dict[Any, int] = {}
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
                entry = select(args, kwargs, learned)
            except Exception:
                entry = None
            if entry is None:
                return state.settle(start, end, out, args, kwargs)
            extend((start, end, entry))
            return out
        return instead()

    def steer(**new: Any) -> None:
        nonlocal gate, only, select, learned, jitted
        gate = new.get("gate", gate)
        only = float(new.get("only", only))  # a float is packed in half the time
        select = new.get("select", select)
        learned = new.get("learned", learned)
        jitted = new.get("jitted", jitted)

    return call, steer


def _who(frame: FrameType) -> Owner:
    owner: Owner = frame.f_locals["state"]
    return owner


_PLAIN_CODE: CodeType = build(len, None)[0].__code__  # type: ignore[arg-type]
_codes: dict[str, CodeType | None] = {"": _PLAIN_CODE}
_CODES_LIMIT = 1000

_timing.belongs_to(_PLAIN_CODE, _who)


def is_call(code: CodeType) -> bool:
    """Whether a frame that runs this code is a call of ours, with ``state args kwargs`` among its locals."""
    return _timing.is_ours(code)


def look_within(call: FunctionType, look: str) -> None:
    """Have `call` look for its entry by this expression in its own code: calling `select` for it costs 2 % of a small call."""
    if look not in _codes and len(_codes) < _CODES_LIMIT:
        _codes[look] = _with_look(look)
    code = _codes.get(look) or _PLAIN_CODE
    if call.__code__ is not code:
        call.__code__ = code


class _Look(ast.NodeTransformer):
    """Puts ``learned[look]`` in the place of ``select(…)``."""

    def __init__(self, look: str) -> None:
        self.look = look

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "select":
            return ast.copy_location(ast.parse(f"learned[{self.look}]", mode="eval").body, node)
        return node


def _with_look(look: str) -> CodeType | None:
    """The code of the call closure with another look; None where its source is not at hand."""
    try:
        lines, first = inspect.getsourcelines(build)
        tree = ast.increment_lineno(ast.parse("".join(lines)), first - 1)
        code = compile(ast.fix_missing_locations(_Look(look).visit(tree)), __file__, "exec", dont_inherit=True)
    except (OSError, TypeError, SyntaxError):
        return None
    for name in ("build", "call"):
        code = next(found for found in code.co_consts if isinstance(found, CodeType) and found.co_name == name)
    if code.co_freevars != _PLAIN_CODE.co_freevars:
        return None
    _timing.belongs_to(code, _who)
    return code


def append_hit(start: float, end: float, entry: int) -> None:
    extend((start, end, entry))


def append(start: float, end: float, detail: Detail) -> None:
    """A row with more to say than a plain hit."""
    key = _DETAIL - next(_detail_ids)
    detail.hint = len(_buffer) // WIDTH
    _details[key] = detail
    extend((start, end, key))


def full_at(now: float) -> float:
    """Until when the buffer is hardly full, going by how it has filled so far; it is emptied if it is full now."""
    rows = len(_buffer) // WIDTH
    if rows >= _FULL * _FOLD_AT:
        fold()
        rows = 0
    each = max(_QUICKEST_S, (now - _emptied) / rows / 4) if rows else _QUICKEST_S
    return now + (_FOLD_AT - rows) * each


def fold() -> None:
    """Move the buffer into the columns."""
    global _buffer, extend, _emptied
    with log.lock:
        _emptied = perf_counter()
        if not _buffer and not _retired:
            return
        _retired.append([_buffer, 0])
        _buffer = []
        extend = _buffer.extend
        for pair in _retired:
            _move(pair)
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
    buffer, moved = pair
    values = tuple(buffer[moved:] if moved else buffer)
    if not values:
        return
    pair[1] = moved + len(values)
    calls = packed(values)
    columns = log.columns
    first = len(columns)
    columns.extend(calls)
    for key in list(_details):  # not its items: other threads add to it, and making pairs may let them run
        detail = _details[key]
        row = _row_of(key, calls, detail.hint - moved // WIDTH)
        if row is not None:
            del _details[key]
            _fill_in(first + row, detail)


def _row_of(key: int, calls: bytes, hint: int) -> int | None:
    """Where in `calls` the row of a detail stands: at or after the hint, unless the buffer was changed in between."""
    row = find_place(calls, key, max(hint, 0))
    return find_place(calls, key, 0) if row is None and hint > 0 else row


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
