"""What the user's function prints, warns and logs while it runs for us, thread by thread.

`sys.stdout` and `sys.stderr` belong to the process, and so does the list of warning filters. So one stand-in each is put there
by the first thread that swallows anything and taken away by the last; between these it asks, at each use, which thread it is
that writes. What other threads write passes through, and nobody ever puts back a stream that somebody else has set meanwhile. A
line for a log reaches no filter and no handler, which may write anywhere; as text it goes where a printed line goes.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

Sink = Callable[[str], object]

_lock = threading.RLock()
_sinks: dict[int, list[Sink]] = {}
"""By thread, who takes what it prints; the last one does. Only the thread itself changes its list."""
_kept_up = 0
"""How many threads are about to swallow again and again: until they are done the stand-ins stay."""


class _StandIn(io.TextIOBase):
    """Stands in for a stream of `sys`: loses what swallowing threads write, and is the stream itself to all others."""

    def __init__(self, name: str, stream: Any) -> None:
        self._name, self._stream = name, stream

    def write(self, text: str) -> int:
        sinks = _sinks.get(threading.get_ident())
        if not sinks:
            written: int = self._stream.write(text)
            return written
        if self._name == "stdout":
            sinks[-1](text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if not is_swallowing():
            self._stream.flush()

    def close(self) -> None:
        if not is_swallowing():
            self._stream.close()

    def fileno(self) -> int:
        if is_swallowing():
            raise io.UnsupportedOperation("fileno")
        number: int = self._stream.fileno()
        return number

    def isatty(self) -> bool:
        return not is_swallowing() and bool(self._stream.isatty())

    def writable(self) -> bool:
        return True

    @property
    def buffer(self) -> Any:
        return io.BytesIO() if is_swallowing() else self._stream.buffer

    @property
    def closed(self) -> bool:
        return bool(self._stream.closed)

    @property
    def encoding(self) -> Any:  # type: ignore[override]
        return self._stream.encoding

    @property
    def errors(self) -> Any:  # type: ignore[override]
        return self._stream.errors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __del__(self) -> None:
        """Nothing: the stream behind it stays open."""


class _OfSwallowingThreads:
    """In the place of a filter's pattern: matches whatever a swallowing thread warns of."""

    def match(self, _: str) -> bool:
        return is_swallowing()


_FILTER: Any = ("ignore", _OfSwallowingThreads(), Warning, None, 0)


_handle, _configure = logging.Logger.handle, logging.basicConfig


def _take_line(logger: logging.Logger, record: logging.LogRecord) -> None:
    """In the place of `Logger.handle`."""
    sinks = _sinks.get(threading.get_ident())
    if sinks:
        sinks[-1](record.getMessage())
    else:
        _handle(logger, record)


def _configure_others(**options: Any) -> None:
    """In the place of `logging.basicConfig`, which `logging.warning` calls where no log was set up."""
    if not is_swallowing():
        _configure(**options)


def is_swallowing() -> bool:
    """Whether what this thread prints is swallowed."""
    return bool(_sinks.get(threading.get_ident()))


def lost(_: str) -> None:
    """Takes a text and forgets it."""


@contextlib.contextmanager
def swallowed(sink: Sink = lost) -> Iterator[None]:
    """What this thread prints goes to `sink`, what it writes to stderr and warns of goes nowhere. May be nested.

    Example:
        >>> with swallowed(texts.append):
        ...     print("kept")
        >>> texts
        ['kept', '\\n']
    """
    thread = threading.get_ident()
    with _lock:
        sinks = _sinks.setdefault(thread, [])
        sinks.append(sink)
        _put_up()
    try:
        yield
    finally:
        with _lock:
            sinks.pop()
            if not sinks:
                del _sinks[thread]
            if not (_sinks or _kept_up):
                _take_down()


@contextlib.contextmanager
def kept_up() -> Iterator[None]:
    """The stand-ins stay where they are between the runs in here that are swallowed: to put them up and take them down costs as
    much as a short run. By itself this swallows nothing."""
    global _kept_up
    with _lock:
        _kept_up += 1
    try:
        yield
    finally:
        with _lock:
            _kept_up -= 1
            if not (_sinks or _kept_up):
                _take_down()


def _put_up() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _StandIn):
            setattr(sys, name, _StandIn(name, stream))
    if not warnings.filters or (warnings.filters[0] is not _FILTER and _FILTER not in warnings.filters):
        warnings.filters.insert(0, _FILTER)  # type: ignore[attr-defined]
    global _handle, _configure
    if logging.Logger.handle is not _take_line:
        _handle, logging.Logger.handle = logging.Logger.handle, _take_line  # type: ignore[assignment,method-assign]
    if logging.basicConfig is not _configure_others:
        _configure, logging.basicConfig = logging.basicConfig, _configure_others


def _take_down() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, _StandIn):
            setattr(sys, name, stream._stream)
    while _FILTER in warnings.filters:
        warnings.filters.remove(_FILTER)  # type: ignore[attr-defined]
    if logging.Logger.handle is _take_line:
        logging.Logger.handle = _handle  # type: ignore[method-assign]
    if logging.basicConfig is _configure_others:
        logging.basicConfig = _configure


def _after_fork() -> None:
    """In a forked child, whose thread alone is left: no other swallows anything."""
    global _lock, _kept_up
    _lock, _kept_up = threading.RLock(), 0
    here = _sinks.get(threading.get_ident())
    _sinks.clear()
    if here:
        _sinks[threading.get_ident()] = here
    else:
        _take_down()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
