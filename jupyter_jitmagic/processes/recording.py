"""`jm.record_to`: the tables of this process kept in a folder, as parquet, while it runs.

A folder has one folder for each process, so any number of processes share it without waiting for each other. A thread writes:
each file beside its place and then moved there, so a reader, or whoever finds the folder after a crash, sees whole files.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_jitmagic import tables
from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.processes import levels
from jupyter_jitmagic.records.log import log

FORMAT = 1
"""Of the folder; a reader leaves out what is newer than itself."""
META = "process.json"
OWN_NAME = re.compile(r"\d{8}T\d{6}-.+-\d+-[0-9a-f]{6}")
"""What the folder of a process is called; it holds nothing at first."""
SNAPSHOTS: tuple[Any, ...] = ("functions", "entries", "misses", "diagnoses", "others", levels.PROGRAMS)
"""Tables that are written whole each time; calls are many and only grow, so they are written in parts."""

_PART_ROWS = 200_000
_PATIENCE = 50
"""So many times what writing took are waited until the next: at most 2 % of one processor."""
_SETTLED_S = 1.0
"""Calls that ended a moment ago may still be given their times, so they are written the next time."""


class Writer:
    """Writes the tables of this process into a folder of its own below `folder`.

    Args:
        folder: where the folders of all processes are; made if it is not there.
        run: the name of the run that this process belongs to; several processes may share it.
        every_s: seconds between two writes, at least.
        limit_bytes: so much of the calls is kept; older ones stay in the totals.
    """

    def __init__(self, folder: Path, run: str, every_s: float, limit_bytes: int) -> None:
        self.folder, self.run = folder, run
        self._every_s, self._limit_bytes = every_s, limit_bytes
        started = time.strftime("%Y%m%dT%H%M%S", time.localtime(levels.STARTED_S))
        who = levels.whoami()
        self._own = folder / f"{started}-{who['host']}-{os.getpid()}-{int(time.time() * 1000) & 0xFFFFFF:06x}"
        self._seen: Any = None
        self._part, self._part_first, self._written = 1, 1, 0
        self._meta: dict[str, Any] = {}
        self._end = threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="jitmagic-record", daemon=True)

    def begin(self) -> None:
        """From now on the thread writes, and the process's end does."""
        self._thread.start()
        atexit.register(self.end)

    def end(self) -> None:
        """Write what is there, and write no more."""
        atexit.unregister(self.end)
        self._end.set()
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join(timeout=10)
        self._try(last=True)

    def _work(self) -> None:
        wait = min(1.0, self._every_s)  # a crash in the first seconds leaves something, too
        while not self._end.wait(wait):
            began = time.thread_time()
            if not self._try():
                return
            wait = max(self._every_s, _PATIENCE * (time.thread_time() - began))

    def _try(self, *, last: bool = False) -> bool:
        """Write; whether it is worth trying again."""
        try:
            with self._writing:
                self.write(last=last)
        except Exception as error:
            what = (
                os.strerror(error.errno) if isinstance(error, OSError) and error.errno else f"{type(error).__name__}: {error}"
            )
            print(f"jupyter_jitmagic: nothing more is recorded to {self._own}: {what}", file=sys.stderr)
            return False
        return True

    def write(self, *, last: bool = False) -> None:
        """Bring the files up to what was recorded, if there is anything new."""
        log.fold()
        seen = (
            log.columns.first + len(log.columns),
            len(log.entries),
            log.misses[-1].id if log.misses else 0,
            len(log.diagnoses),
            sum(row.compiles for row in tuple(log.others.values())),
        )
        if seen == self._seen or (self._seen is None and not (log.functions or log.others or log.diagnoses)):
            return
        meta = self._about()
        if meta != self._meta:
            self._own.mkdir(parents=True, exist_ok=True)
            _replace(self._own / META, lambda path: path.write_text(json.dumps(meta, indent=1), encoding="utf-8"))
            self._meta = meta
        settled = self._write_calls(last)
        for level in SNAPSHOTS:
            frame = levels.programs().frame() if level == levels.PROGRAMS else tables.as_recorded(level)
            if level == levels.PROGRAMS:
                frame["facts"] = [json.dumps(facts) for facts in frame["facts"]]
            _write(frame, self._own / f"{level}.parquet")
        self._seen = seen if settled else ()

    def _about(self) -> dict[str, Any]:
        who = levels.whoami()
        run = self.run or who["run"] or self._own.name
        return {"format": FORMAT, **who, "run": run, "program": Path(sys.argv[0]).name}

    def _write_calls(self, last: bool) -> bool:
        """Write the current part again, with the calls that came since; whether all that are there are written."""
        if log.columns.first > self._part_first and self._written >= self._part_first:
            self._next_part()  # what it holds is kept no more in this process
        self._part_first = max(self._part_first, log.columns.first)
        frame = tables.calls_since(self._part_first)
        settled = len(frame)
        if not last:
            ended = (frame["started_s"] + frame["dispatch_s"]).to_numpy()
            settled = int((ended <= time.time() - _SETTLED_S).sum())
        rows = frame.iloc[:settled]
        if len(rows):
            newest = int(rows["call"].iloc[-1])
            if newest > self._written:
                _write(rows, self._own / f"calls-{self._part:06}.parquet")
                self._written = newest
            if len(rows) >= _PART_ROWS:
                self._next_part()
                self._forget_oldest()
        return settled == len(frame)

    def _next_part(self) -> None:
        self._part, self._part_first = self._part + 1, self._written + 1

    def _forget_oldest(self) -> None:
        parts = sorted(self._own.glob("calls-*.parquet"))
        sizes = [part.stat().st_size for part in parts]
        while len(parts) > 1 and sum(sizes) > self._limit_bytes:
            parts.pop(0).unlink(missing_ok=True)
            sizes.pop(0)


def _write(frame: Any, path: Path) -> None:
    from pyarrow import Table, parquet

    table = Table.from_pandas(frame, preserve_index=False, nthreads=1)  # at the process's end no thread can be started
    _replace(path, lambda begun: parquet.write_table(table, begun))


def _replace(path: Path, write: Callable[[Path], Any]) -> None:
    """A reader sees the file that was there before, or the new one."""
    begun = path.with_name(f".{path.name}.tmp")
    write(begun)
    os.replace(begun, path)


# ---- the one of this process

_writer: Writer | None = None
_lock = threading.Lock()


def record_to(
    folder: str | os.PathLike[str] | None,
    *,
    run: str = "",
    every_s: float = 5.0,
    limit_bytes: int = 500_000_000,
) -> None:
    """Keep the tables of this process in a folder while it runs, for `jm.open`. The same as ``JITMAGIC_RECORD=folder``.

    A thread writes at most once in `every_s`, and takes at most 2 % of one processor for it; a crash (kill -9) loses what came
    after the last time. Any number of processes may share the folder, on any number of machines. It needs pyarrow.

    Args:
        folder: where; it is made if it is not there. None: write what there is, and stop.
        run: the run that this process belongs to. Without it ``JITMAGIC_RUN``, the job of SLURM or MPI, else a name of its own.
        every_s: seconds between two writes, at least.
        limit_bytes: so much of the calls is kept, of each process; older calls stay in the totals.

    Raises:
        OptionError: it cannot be written to, or pyarrow is not installed.

    Example:
        >>> jm.record_to("runs", run="lr-0.1")
        >>> train()
        >>> jm.open("runs").stats("misses")
    """
    global _writer
    with _lock:
        if _writer is not None:
            _writer.end()
            _writer = None
        if folder is None or options.off:
            return
        path = Path(folder).expanduser()
        problem = _problem(path)
        if problem:
            raise OptionError(f"{folder}: {problem}")
        from jupyter_jitmagic.recording.api.watching import install

        install()  # what plain jax.jit compiles has a row, too
        _writer = Writer(path, run, every_s, limit_bytes)
        _writer.begin()


def _problem(folder: Path) -> str:
    """Why nothing can be written there, in a line; "" if it can."""
    try:  # now: at the process's end some of it can be imported no more
        import pandas  # noqa: F401
        from pyarrow import parquet  # noqa: F401
    except ImportError:
        return 'recording to a folder needs pyarrow: pip install "jupyter-jitmagic[cluster]"'
    probe = folder / f".jitmagic-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        return f"nothing can be recorded there: {(error.strerror or str(error)).lower()}"
    return ""


def begin_as_the_environment_says() -> None:
    """``JITMAGIC_RECORD=folder``. What is wrong with the folder is one line on stderr; the program goes on."""
    try:
        record_to(os.environ["JITMAGIC_RECORD"])
    except OptionError as error:
        print(f"jupyter_jitmagic: JITMAGIC_RECORD={error}", file=sys.stderr)


def _after_fork() -> None:
    """The parent goes on recording; a forked child, whose rows began as the parent's, does not."""
    global _writer, _lock
    if _writer is not None:
        atexit.unregister(_writer.end)
    _writer, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
