"""Sees executions end without blocking the caller: one thread that looks at one small output at a time.

JAX offers no completion callback. Two look for the end of a watched execution:

* the waiter thread. Executions that are expected to be short it waits for in `block_until_ready`, which takes no processor time
  from them; when it wakes and has not waited for the GIL as well, the end lies no further back than the time for which it
  had no processor (`scheduling`). Long ones, those of which nothing is known and those whose caller computes meanwhile it
  asks now and then (`is_ready`), so it knows two times: when the result was not ready yet and when it was.
* the calling thread itself, when it makes its next call (`peek`). A caller that blocks on the result wakes at the same moment
  as the waiter and, unless it is quicker, waits until the waiter lets go of the GIL, some 60 µs. So the waiter stays out of it
  where the caller has come back as soon as the last executions had ended (`waiting_caller`). Until it is, what the caller
  has had tells since when the result was there, if that was what both had waited for.

The end lies between two times, `OutputWatch.before` and `.after`; whether they are near enough to each other to call it a
measurement is for `observation` to say. Whatever is done here is done while the execution runs, perhaps on the same
processor, and so lengthens what is measured: as little as possible, and most of it in the waiter's thread.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import threading
import time
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import get_ident
from time import perf_counter, thread_time
from typing import Any

import jax

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.arrays import is_ready
from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.recording.executions import gil
from jupyter_jitmagic.recording.executions.scheduling import TELLS, Account, account

_SHORTEST_SLEEP = 5e-5
_LONGEST_SLEEP = 0.02
_SLEEP_SHARE = 0.015
_BLOCK_BETWEEN = (1e-4, 0.05)
_PATIENCE_S = 0.1
_KEPT = 0.05
"""Of an execution's time, for which the waiter may have had no processor where it is said to have waited for the GIL."""
_COMPUTING, _LONG_S = 0.5, 3e-4
"""The share of the time from call to call for which its caller computes that keeps the GIL from others, and how long that is at
least: else asking for the GIL soon is not soon enough."""
_COARSE = time.get_clock_info("thread_time").resolution > 1e-6


class Awaited:
    """An execution of the calling thread that has not been seen to end yet.

    Args:
        array: an output of it, if there is one yet.
    """

    peeked = math.inf
    """When its caller, about to make another call, saw that it had ended. NaN: in vain."""
    until = math.inf
    """When its caller is not waited for any longer, and its array not held."""
    hurries = hurried = False
    """The thread that looks for its end should ask for the GIL soon, and does."""
    holds = True
    """An output of it may be held."""
    lingers = False
    """Its caller is to tell when it is back, even if the end has been seen by then."""
    _beside: weakref.ref[Any] | None = None

    def __init__(self, array: Any) -> None:
        self.array = array
        self.caller = get_ident()

    def beside(self, other: Any | None) -> None:
        """Have the caller look at this other output of the call if it keeps that alive. JAX may tell a moment later that one is
        there which was asked for or waited for before: first it wakes whoever waits for the others."""
        self._beside = None if other is None else weakref.ref(other)

    def output(self) -> Any | None:
        """What tells whether it has ended, for its caller to look at."""
        beside = self._beside() if self._beside is not None else None
        return self.array if beside is None or beside.is_deleted() else beside

    def overdue(self, now: float) -> None:
        """Its caller has not come back by `until`."""
        self.array = None
        stop_watching(self)

    def noticed(self) -> None:
        """Its caller has just seen that it ended, or that this cannot be seen: `peeked` says when."""


class Beginning(Awaited):
    """When the calling thread begins its next call, of whatever function: from then on it is known how long it stands still."""

    holds = False

    def __init__(self, now: float) -> None:
        super().__init__(None)
        self.until = now + _PATIENCE_S
        self._stood = math.inf
        watching.append(self)

    def output(self) -> None:
        self._stood = perf_counter() - thread_time()
        stop_watching(self)

    def stood_still_s(self) -> float:
        """How long the thread has not computed since then; NaN if that is not known."""
        if self._stood == math.inf or self.caller != get_ident() or _COARSE:
            return math.nan
        return max(perf_counter() - thread_time() - self._stood, 0.0)


class OutputWatch(Awaited):
    """One execution that is looked at; `ended` is for whoever wants to know of its end.

    Args:
        array: an output of it. Let go as soon as the end is seen.
        start: when the call began (`perf_counter`).
        expected_s: how long executions of this entry took before, if known.
        asked: whether it is to be asked now and then, and not waited for.
    """

    before = after = math.nan
    """Between which times it ended."""
    had: Account | None = None
    had_then: Account | None = None
    """What the caller's thread has had, after it made the call and before it made the next."""
    most_s = 0.0
    """For so long the caller may be away if it waits for this and for nothing else."""
    not_yet = -math.inf
    """When the thread asked for it last and it had not ended."""

    def __init__(self, array: Any, start: float, expected_s: float | None = None, asked: bool = False) -> None:
        super().__init__(array)
        self.start = start
        self.expected_s = expected_s
        self.asked = asked

    def output(self) -> Any | None:
        if self.had is not None:
            self.had_then = account()
        if self.until < math.inf:  # it was seen to end
            stop_watching(self)
        return super().output()

    def caller_computed(self) -> bool:
        """Its caller, back by now, has computed for most of the time, and so kept the GIL from who looked for the end."""
        now = account()
        if self.had is None or now is None or self.had.thread != now.thread:
            return False
        lasted = perf_counter() - self.start
        return lasted >= _LONG_S and self.had.until(now).cpu_s >= _COMPUTING * lasted

    def pause_s(self, now: float) -> float:
        """When to ask again, if it had not ended by `now`: in so many seconds."""
        return (now - self.start) * _SLEEP_SHARE

    @property
    def seen_s(self) -> float:
        """When its end was seen; inf or NaN if it was not, so far."""
        return self.peeked if math.isnan(self.after) else self.after

    def ended(self) -> None:
        """The end was seen (or cannot be: `after` is then NaN). Called in the waiter's thread."""


watching: list[Awaited] = []
"""What is looked at now, by the thread or by its own caller. The path of a call looks here first: `peek` is due if it is not
empty."""


def peek() -> None:
    """The calling thread is about to make another call: note which of its results have come by now."""
    for watch in tuple(watching):
        if watch.peeked == math.inf and watch.caller == get_ident():
            if watch.hurried:
                gil.restore(watch)
            try:
                array = watch.output()
                ready = False if array is None else is_ready(array)
                if ready is not False:  # or deleted: the waiter finds out as well
                    watch.peeked = perf_counter() if ready else math.nan
            except Exception:  # an error of the computation
                watch.peeked = math.nan
            if watch.peeked != math.inf:
                array = None  # whoever notices may be the last who holds it
                watch.noticed()


def drop_outdated(now: float) -> None:
    """Stop looking for callers that did not come back, and see that the interval is not ours any more."""
    gil.put_back()
    for awaited in tuple(watching):
        if awaited.until < now:
            awaited.overdue(now)


def stop_watching(awaited: Awaited) -> None:
    with contextlib.suppress(ValueError):  # another thread was quicker
        watching.remove(awaited)


def smallest_output(out: Any) -> Any | None:
    """What tells most cheaply that the call of this output has ended; None if there is nothing to wait for.

    It is the caller's own array: any other of the same buffer would be one more in ``jax.live_arrays()``.
    """
    if type(out) is internals.CONCRETE_ARRAY:
        return out
    leaves = (out,) if isinstance(out, jax.Array) else jax.tree_util.tree_leaves(out)
    return min(
        [leaf for leaf in map(internals.told_by, leaves) if can_be_looked_at(leaf)], key=lambda leaf: leaf.size, default=None
    )


def another_output(out: Any, array: Any) -> Any | None:
    """An output of this call that is not this one, if there is one."""
    leaves = map(internals.told_by, jax.tree_util.tree_leaves(out))
    return next((leaf for leaf in leaves if leaf is not array and can_be_looked_at(leaf)), None)


def can_be_looked_at(leaf: Any) -> bool:
    """Whether this is an array that tells when it is ready: no tracer, nor an array of keys itself."""
    return isinstance(leaf, jax.Array) and not isinstance(leaf, jax.core.Tracer) and hasattr(leaf, "is_ready")


class Waiter:
    """At most `depth` watches at a time; more are refused rather than queued, because held outputs slow the caller down."""

    depth = 2
    stopped: Callable[[], None] | None = None
    """Told that nothing is looked at any more: whoever holds one at a time would wait for it for good."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._queue: SimpleQueue[OutputWatch | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._stops: dict[int, threading.Event] = {}
        """By each thread of this, what tells it to end."""
        self._holds = False
        """The thread wakes by itself to let go of what is held."""

    def watch(self, watch: OutputWatch) -> bool:
        """Look for the end of an execution; False if too many are looked at already. Never waits for another thread."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if sum(awaited.holds for awaited in tuple(watching)) >= self.depth:
                return False
            watching.append(watch)
            try:
                watch.hurried = watch.hurries and gil.shorten(watch)
                self._put(watch)
            except BaseException:  # Ctrl-C
                gil.restore(watch)
                raise
        finally:
            self._lock.release()
        return True

    def look(self, watch: OutputWatch) -> None:
        """Look for an end for whoever holds one at a time. Not among those that callers look for themselves."""
        with self._lock:
            stop = self._stops.get(get_ident())
            if stop is None or not stop.is_set():  # a thread that is to end begins no other
                self._put(watch)

    def hold(self) -> None:
        """What is watched and has an array is to be let go of when its time has come."""
        if not self._holds:
            self._holds = True  # told once: the thread may be busy with a long execution
            with self._lock:
                self._put(None)

    def _put(self, watch: OutputWatch | None) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, args=(self._queue, self._stop), name="jupyter_jitmagic waiter", daemon=True
            )
            self._thread.start()
        self._queue.put(watch)

    def stop(self) -> None:
        """End the thread. A thread inside `block_until_ready` at interpreter exit would abort the process."""
        with self._lock:
            thread, queue, stop = self._thread, self._queue, self._stop
            self._thread, self._queue, self._stop = None, SimpleQueue(), threading.Event()
            stop.set()
        if thread is not None:
            queue.put(None)
            thread.join()
        gil.restore()
        for awaited in tuple(watching):  # whoever else knows of it would keep the array alive
            awaited.array = None
        watching.clear()
        if self.stopped is not None:
            self.stopped()

    def after_fork(self) -> None:
        """A forked child has no such thread."""
        watching.clear()
        gil.after_fork()
        self.__init__()  # type: ignore[misc]

    def _run(self, queue: SimpleQueue[OutputWatch | None], stop: threading.Event) -> None:
        self._stops[get_ident()] = stop
        waiting: list[OutputWatch] = []
        while True:
            watch = self._next(queue, waiting)
            if stop.is_set():
                self._stops.pop(get_ident(), None)
                return
            if watch is None:
                continue
            try:
                _look(watch, stop)
            except Exception:  # deleted, donated, or an error of the computation: the user meets it where JAX raises it
                watch.before = watch.after = math.nan
            if watch.hurried:
                gil.restore(watch)
            watch.array = None
            if watch.lingers and watch.had_then is None and not math.isnan(watch.after):
                watch.until = perf_counter() + _PATIENCE_S
            else:
                stop_watching(watch)
            try:
                watch.ended()
            except Exception as error:
                faults.report("timing an execution", error)
            del watch

    def _next(self, queue: SimpleQueue[OutputWatch | None], waiting: list[OutputWatch]) -> OutputWatch | None:
        """The next one to look at, that of the earliest call: a device works in order, and whoever looks for a later one first
        sees the end of this one too late. None where something was to be let go of."""
        woken = False
        with contextlib.suppress(Empty):
            while True:
                watch = queue.get_nowait()
                if watch is None:
                    woken = True
                else:
                    waiting.append(watch)
        if waiting:
            first = min(waiting, key=lambda watch: watch.start)
            waiting.remove(first)
            return first
        if woken:
            return None
        self._holds = False  # before it is looked what is held: whoever adds something from now on wakes the thread
        kept = [held for held in tuple(watching) if held.array is not None or held.lingers]
        times = [held.until for held in kept if held.until < math.inf]
        self._holds = bool(times)
        try:
            return queue.get(timeout=max(min(times) - perf_counter(), 0.0) if times else None)
        except Empty:
            drop_outdated(perf_counter())
            return None


def _look(watch: OutputWatch, stop: threading.Event) -> None:
    low, high = _BLOCK_BETWEEN
    if watch.asked or not TELLS or watch.expected_s is None or not low <= watch.expected_s <= high:
        _ask(watch, stop)
    else:
        _wait(watch)


# Clocks are read before a question is asked: between the answer and the next instruction other threads may have their turn.


def _ask(watch: OutputWatch, stop: threading.Event) -> None:
    before, now = watch.start, perf_counter()
    while (array := watch.array) is not None and not (ready := is_ready(array)):
        if ready is None:
            return
        array, before = None, now  # its caller may let go of it meanwhile
        watch.not_yet = now
        if stop.is_set():
            return
        time.sleep(min(max(watch.pause_s(before), _SHORTEST_SLEEP), _LONGEST_SLEEP))
        now = perf_counter()
    if array is not None:
        after = min(perf_counter(), watch.peeked)
        watch.before, watch.after = min(before, after), after


def _wait(watch: OutputWatch) -> None:
    """Not for results that their caller does not wait for: it may delete them, and where that meets the first moment of
    `block_until_ready` in another thread jaxlib reads what is gone."""
    array, before = watch.array, watch.start
    then, now = account(), perf_counter()
    ready = is_ready(array)
    if ready is None:
        return
    if not ready:
        before = now
        array.block_until_ready()
    after, since = perf_counter(), account(until_now=True)
    if before == now and then is not None and since is not None:
        before = max(before, _since_when(watch, after, then.until(since)))
    after = min(after, watch.peeked)
    watch.before, watch.after = min(before, after), after


def _since_when(watch: OutputWatch, after: float, had: Account) -> float:
    """Since when at the earliest an execution had ended that was waited for until `after`, going by what the waiter has had
    meanwhile; minus infinity if that does not tell."""
    woken = after - had.late_s
    if watch.hurried and had.waits > 1:  # each time but one it waited for the GIL, and no longer than until it asked again
        if not gil.was_short(watch):
            return -math.inf
        return woken - (had.waits - 1) * (gil.SHORT_S + gil.SLACK_S)
    if had.waits <= 1 and woken <= watch.peeked:  # it waited for the result alone, and was not woken long after the caller
        return woken
    if not watch.peeked - watch.start <= watch.most_s or had.kept_s > _KEPT * (watch.peeked - watch.start):
        return -math.inf
    # woken with the caller, which was quicker: one that had waited for something else would have left the GIL to this thread,
    # if it had been woken in time
    if watch.had is None or watch.had_then is None or watch.had.thread != watch.had_then.thread:
        return -math.inf
    of_caller = watch.had.until(watch.had_then)
    return watch.peeked - of_caller.late_s if of_caller.waits == 1 else -math.inf


waiter = Waiter()
atexit.register(waiter.stop)
