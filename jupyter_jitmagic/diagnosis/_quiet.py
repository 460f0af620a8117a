"""Running the user's function without the user noticing, and not for longer than it may.

What it prints is swallowed, random state is put back, and so are the globals, closure variables, attributes, lists and NumPy
arrays that it changes. A function that never ends is stopped between two of Python's instructions.
"""

from __future__ import annotations

import _thread
import builtins
import contextlib
import ctypes
import io
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO, StringIO
from types import CellType, FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ._places import is_library, is_library_type


class OutOfTime(BaseException):
    """The time is over. Not an Exception, so that the user's handlers do not stop it."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what the function prints and warns; its random state is put back."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        with (
            contextlib.redirect_stdout(_Swallowing(sys.stdout)),
            contextlib.redirect_stderr(_Swallowing(sys.stderr)),
            _unwarned(),
        ):
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)


class _Swallowing(StringIO):
    """A stream that loses what this thread writes and passes on what other threads write."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream, self._thread = stream, threading.get_ident()

    def write(self, text: str) -> int:
        if threading.get_ident() != self._thread:
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        if threading.get_ident() != self._thread:
            self._stream.flush()


@contextlib.contextmanager
def _unwarned() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


_writing = threading.RLock()


@contextlib.contextmanager
def no_writing() -> Iterator[None]:
    """What the user's code of this thread opens for writing goes nowhere; reading, and what JAX writes, are untouched."""
    with _writing:
        mine, before = threading.get_ident(), builtins.open

        def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
            if writes and threading.get_ident() == mine and not _for_jax(sys._getframe(1)):
                return BytesIO() if "b" in mode else StringIO()
            return before(file, mode, *args, **kwargs)

        builtins.open = io.open = opened
        try:
            yield
        finally:
            builtins.open = io.open = before


def _for_jax(frame: FrameType | None) -> bool:
    while frame is not None and is_library(frame.f_code.co_filename):
        if str(frame.f_globals.get("__name__", "")).startswith(("jax", "jaxlib")):
            return True
        frame = frame.f_back
    return False


class _Watch:
    """One thread that looks at the clock for another: cheaper than one for each block."""

    def __init__(self) -> None:
        self.deadlines = (float("inf"), float("inf"))
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.thread_id = threading.get_ident()
        self.cpu_clock = _cpu_clock(self.thread_id)

    def late(self) -> bool:
        worked, waited = self.deadlines
        return time.monotonic() > waited or (self.cpu_clock is not None and time.clock_gettime(self.cpu_clock) > worked)

    def run(self) -> None:
        while not self.over.wait(0.04):
            with self.lock:
                if not self.over.is_set() and self.late():
                    _raise_in(self.thread_id, OutOfTime)  # and again, where the user's code caught it

    def stop(self) -> None:
        while not self.over.is_set():
            with contextlib.suppress(OutOfTime), self.lock:
                self.over.set()
        _let_arrive()


def _let_arrive() -> None:
    """An `OutOfTime` that is still on its way arrives here and ends.

    Taking it back (by setting no exception in its place) would leave CPython 3.11 looking for one at every instruction, and
    stuck for ever as soon as a debugger or a profiler traces.
    """
    with contextlib.suppress(OutOfTime):
        for _ in range(10):
            pass


_PATIENCE = 4


def _cpu_clock(thread_id: int) -> int | None:
    """The clock of a thread's own work, where the system has one that another thread can read."""
    find = getattr(time, "pthread_getcpuclockid", None)
    return find(thread_id) if find is not None else None


_here = threading.local()


class time_limit:
    """Raises `OutOfTime` in this thread when the block works for longer than `seconds`; one native call may overrun.

    Work is the thread's own time, so that a busy machine changes no answer; waiting may take four times as long.
    Blocks may be nested: the thread that looks at the clock belongs to the outermost.

    Example:
        >>> with contextlib.suppress(OutOfTime), time_limit(1.0):
        ...     while True: pass
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> time_limit:
        watch = getattr(_here, "watch", None)
        self._own = watch is None
        if watch is None:
            watch = _here.watch = _Watch()
            _thread.start_new_thread(watch.run, ())
        self._watch: _Watch = watch
        self._before = worked, waited = watch.deadlines
        patience = self.seconds * (_PATIENCE if watch.cpu_clock is not None else 1)
        watch.deadlines = min(worked, time.thread_time() + self.seconds), min(waited, time.monotonic() + patience)
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.deadlines = self._before
        if self._own:
            _here.watch = None
            self._watch.stop()
        else:
            _let_arrive()


def _raise_in(thread_id: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(error))


_Restore = Callable[[], None]
_MOST = 10_000
_MOST_BYTES = 256 * 2**20
"""What NumPy arrays that are copied to be put back may hold together; those beyond are read-only meanwhile."""


class _Seen(set[int]):
    """The objects looked at, and how many bytes may still be copied."""

    bytes_left = _MOST_BYTES


@contextlib.contextmanager
def undone(functions: Iterable[FunctionType], owners: Iterable[Any] = ()) -> Iterator[None]:
    """Put back what `functions` (by their globals and closures) and the attributes of `owners` hold, as it was before."""
    restores: list[_Restore] = []
    seen = _Seen()
    for fun in functions:
        names = fun.__globals__
        for name in fun.__code__.co_names:
            if name in names:
                restores.append(_binding(names, name))
                restores.extend(_contents(names[name], seen))
        for cell in fun.__closure__ or ():
            restores.extend(_cell(cell, seen))
    for owner in owners:
        restores.extend(_contents(owner, seen))
    try:
        yield
    finally:
        for restore in restores:
            restore()


def _binding(names: dict[str, Any], name: str) -> _Restore:
    value = names[name]

    def restore() -> None:
        if names.get(name) is not value:
            names[name] = value

    return restore


def _cell(cell: CellType, seen: _Seen) -> list[_Restore]:
    try:
        value = cell.cell_contents
    except ValueError:  # not bound yet
        return []

    def restore() -> None:
        if cell.cell_contents is not value:
            cell.cell_contents = value

    return [restore, *_contents(value, seen)]


def _contents(value: Any, seen: _Seen, depth: int = 0) -> list[_Restore]:
    """How to put back a container's items or an object's attributes, and those of what it holds."""
    if id(value) in seen or depth > 2 or isinstance(value, (ModuleType, FunctionType)):
        return []
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return _array(value, seen)
    if isinstance(value, tuple):
        return [found for item in value[:200] for found in _contents(item, seen, depth + 1)]
    if isinstance(value, type):
        return [] if is_library_type(value) else [_class_attributes(value)]
    plain = isinstance(value, (list, dict, set))
    held = value if plain else None if is_library_type(type(value)) else getattr(value, "__dict__", None)
    if not isinstance(held, (list, dict, set)) or len(held) > _MOST:
        return []
    before = held.copy()

    def restore() -> None:
        if isinstance(held, list) and isinstance(before, list):
            if not _same(held, before):
                held[:] = before
        elif isinstance(held, dict) and isinstance(before, dict):
            if list(held) != list(before) or not _same(held.values(), before.values()):
                held.clear()
                held.update(before)
        elif isinstance(held, set) and held != before:
            held.clear()
            held.update(before)

    items = held.values() if isinstance(held, dict) else held
    inner = [found for item in list(items)[:200] if not isinstance(item, _PLAIN) for found in _contents(item, seen, depth + 1)]
    return [restore, *inner]


def _array(value: np.ndarray[Any, Any], seen: _Seen) -> list[_Restore]:
    if not value.flags.writeable:
        return []
    seen.bytes_left -= value.nbytes
    if seen.bytes_left < 0:
        value.flags.writeable = False
        return [lambda: value.setflags(write=True)]
    before = value.copy()

    def restore() -> None:
        if value.shape == before.shape and value.tobytes() != before.tobytes():
            value[...] = before

    return [restore]


def _class_attributes(kind: type) -> _Restore:
    before = {name: value for name, value in vars(kind).items() if not name.startswith("__")}

    def restore() -> None:
        now = {name: value for name, value in vars(kind).items() if not name.startswith("__")}
        for name in now.keys() - before.keys():
            delattr(kind, name)
        for name, value in before.items():
            if name not in now or now[name] is not value:
                setattr(kind, name, value)

    return restore


_PLAIN = (str, bytes, int, float, complex, bool, type(None))


def _same(now: Iterable[Any], before: Iterable[Any]) -> bool:
    return all(one is other for one, other in zip(now, before, strict=False)) and len(list(now)) == len(list(before))
