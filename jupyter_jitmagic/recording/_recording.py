"""What happens to a call that is not a plain hit: which outcome it had, what it cost, which entry it used."""

from __future__ import annotations

import functools
import math
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax

from jupyter_jitmagic import _jax_internals as internals
from jupyter_jitmagic._errors import CheckWarning, RecompileError, RecompileWarning, faults
from jupyter_jitmagic._options import options
from jupyter_jitmagic._own_work import is_any_thread_at_own_work, is_own_work
from jupyter_jitmagic._records import (
    DISK_HIT,
    EAGER,
    ERROR,
    HIT,
    INLINED,
    MISS,
    OUTCOMES,
    Cause,
    Changed,
    EntryRecord,
    FunctionRecord,
    MissRecord,
    log,
)
from jupyter_jitmagic.recording import _budgets, _check, _cures, _history, _hotpath, _observation, _returning, _stale, _timing
from jupyter_jitmagic.recording._attribution import Attribution
from jupyter_jitmagic.recording._auto import Auto
from jupyter_jitmagic.recording._call_site import call_site
from jupyter_jitmagic.recording._captured import Captured
from jupyter_jitmagic.recording._causes import causes_of
from jupyter_jitmagic.recording._cures import Miss
from jupyter_jitmagic.recording._examples import Example, example_of
from jupyter_jitmagic.recording._hotpath import Detail
from jupyter_jitmagic.recording._origin import Origin
from jupyter_jitmagic.recording._returning import AT_ONCE, FEW_AT_ONCE, Returning
from jupyter_jitmagic.recording._scheduling import TELLS
from jupyter_jitmagic.recording._signatures import Signature, named_arguments, placed_by, signature_of
from jupyter_jitmagic.recording._timing import Phases
from jupyter_jitmagic.recording._traces import Traces
from jupyter_jitmagic.recording._waiter import Beginning, drop_outdated

_HISTORY = 1000
Guard = Callable[[tuple[Any, ...], dict[str, Any]], None]


class FunctionState:
    """All that is known of one jitted function. Lives as long as the function; the records of it live in the log."""

    def __init__(
        self,
        fun: Callable[..., Any],
        jitted: Any,
        jit_arguments: dict[str, Any],
        record: FunctionRecord,
        origin: Origin,
        timing: str | None,
        remade: Callable[[], list[Signature]] | None,
    ) -> None:
        self.fun = fun
        self.jitted = jitted
        self.jit_arguments = jit_arguments
        self.jit_options = internals.jit_options(jitted, jit_arguments)
        self.function = record.id
        self.record = record
        self.origin = origin
        self.lock = threading.RLock()
        self.attribution = Attribution(self.jit_options)
        self.history: list[Signature] = []
        self.timing = timing
        self.recording = log.paused_s is None
        self.budget: _budgets.Budget | None = None
        self.auto: Auto | None = None
        self.check = False
        self.captured: dict[int, Captured] = {}
        """What the trace of each entry read from outside its arguments."""
        self.traces: Traces | None = None
        """With `keep` what all traces read."""
        self.not_kept = ""
        """Why what an earlier definition has compiled may not be used."""
        self._remade = remade
        self.guard: Guard | None = None
        self._cleared: set[Signature] = set()
        """What JAX's cache has held before it was cleared."""
        self._row = 0
        """How many calls were watched just before, of those that are watched in a row."""
        self._watch_from = float("-inf")
        self._returning: Returning | None = None
        self._torn = False
        """Ctrl-C or a limit cut a change of the attribution short."""
        self.placed = placed_by(jit_arguments)
        self._steer: _hotpath.Steer = _not_built
        self._call: Callable[[], Any] = _not_built
        self.examples: dict[int, Example] = {}
        """Of each live entry, what a call looks like: for whoever asks for its programs and sizes."""

    @property
    def name(self) -> str:
        return self.record.name

    def build(self) -> Callable[..., Any]:
        """The function that stands for the jitted one. The state does not hold it, so that it goes when the user lets go."""
        call, self._steer = _hotpath.build(self.jitted, self)
        self._call = weakref.ref(call)
        return call

    # -- called by the closure ------------------------------------------------------------------------------------------

    def settle(self, start: float, end: float, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record a call that returned and may be anything; returns `out`."""
        if is_own_work():
            return out
        nested = _here.settling
        if self.recording or log.paused_s is not None:
            try:
                _here.settling = True
                if self.recording:
                    returning = None if nested or self._torn else self._returning
                    if returning is None or not self._take(returning, start, end, out, args, kwargs):
                        self._settle(start, end, out, args, kwargs, nested)
                elif _timing.pending:
                    _timing.take(start)
            except (RecompileWarning, CheckWarning):  # the user's filters made an error of it
                raise
            except (RecursionError, MemoryError) as error:  # the user's own call is near a limit
                self._torn = True
                _unrecorded.append(type(error))
            except _timing.Lost:
                self._torn = True
            except Exception as error:
                self.give_up("recording a call", error)
            except BaseException:
                self._torn = True
                raise
            finally:
                _here.settling = nested
        if not nested and _here.later:
            _settle_later()
        return out

    def failed(
        self, start: float, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException
    ) -> Callable[[], Any] | None:
        """Record a call that raised. The error is JAX's or the user's and stays as it is: None. What is returned for a compile
        that the budget refused takes the call's place."""
        if is_own_work():
            return None
        if isinstance(error, _budgets.Refused) and error.function == self.function:
            return functools.partial(self._instead, start, args, kwargs, error)
        try:
            if self.auto is not None and internals.transformations() == "" and self.auto.cure(self, args, kwargs, error):
                _timing.take(start)
                return functools.partial(self.again, args, kwargs)
            self._record_failed(start, args, kwargs)
            if not log.shells:  # advice finds the call in the traceback
                _leave_traceback(error)
        except Warning:  # the user's filters made an error of it
            raise
        except (RecursionError, MemoryError) as fault:  # the user's own call is near a limit
            _unrecorded.append(type(fault))
        except _timing.Lost:
            self._torn = True
        except Exception as fault:
            self.give_up("recording a failed call", fault)
        return None

    def use(self, jitted: Any, jit_arguments: dict[str, Any]) -> None:
        """From now on call `jitted`, the same function with other arguments of ``jax.jit``."""
        with self.lock:
            self._forget_entries()
            self.traces = None  # of a function that is called in another way now
            self.jitted = jitted
            self.jit_arguments = jit_arguments
            self.jit_options = internals.jit_options(jitted, jit_arguments)
            self._steer(gate=float("-inf"), select=None, jitted=jitted)

    def again(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call once more, after its function was put under jit anew."""
        return self._call()(*args, **kwargs)

    def _instead(self, start: float, args: tuple[Any, ...], kwargs: dict[str, Any], refused: _budgets.Refused) -> Any:
        __tracebackhide__ = True
        if refused.message:
            with faults.stop("recording a refused compile"):
                self._record_failed(start)
            raise RecompileError(refused.message)
        with faults.stop("recording a refused compile"):
            _timing.take(start)
        out = self.fun(*args, **kwargs)
        with faults.stop("recording a refused compile"):
            _hotpath.append(start, time.perf_counter(), Detail(-1 - self.function, EAGER))
        return out

    def _record_failed(self, start: float, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> None:
        if not self.recording:
            return
        end = time.perf_counter()
        phases = None
        if internals.transformations() is None:
            _timing.leave()
        elif _timing.pending:
            phases = _timing.take(start)
        self._add_costs(phases)
        _history.note_failed(self.record, self.fun, args, kwargs or {})
        _hotpath.append(start, end, Detail(-1 - self.function, ERROR, _seconds(phases)))

    # -- the rest -------------------------------------------------------------------------------------------------------

    def give_up(self, place: str, error: BaseException) -> None:
        """Our own fault: from now on this function runs unrecorded, and the user is told once."""
        self.recording = self.record.recording = False
        faults.report(place, error, "your call runs as plain jax.jit")

    def after_fork(self) -> None:
        """What another thread was changing at a fork stays half changed in the child."""
        if self.lock.acquire(blocking=False):
            self.lock.release()
        else:
            self.lock, self._torn = threading.RLock(), True
            self._steer(gate=float("-inf"))

    def pause(self, paused: bool) -> None:
        """Stop recording for now, or go on; a function that gave up stays as it is."""
        if self.record.recording:
            self.recording = not paused
            self._steer(gate=float("-inf"))

    def cleared(self) -> None:
        """JAX's cache of this function was cleared on purpose."""
        with self.lock:
            self._forget_entries()
            self._note_cleared()
            self._steer(gate=float("-inf"), select=None)

    def created_again(self, why: str) -> None:
        """Nothing that was compiled may be used: the function counts as another one, created just now."""
        self.jitted.clear_cache()
        with self.lock:
            self.not_kept = why
            if self.traces is not None:
                self.traces.forget()
            self._forget_entries()
            compiled = self.history
            self._remade = lambda: compiled
            self.history = []
            self._cleared.clear()
            self._steer(gate=float("-inf"), select=None)

    def guard_with(self, guard: Guard | None) -> None:
        """Have every call ask `guard` before JAX is called; None: no more."""
        self.guard = guard
        self._steer(gate=float("-inf"), jitted=self.jitted if guard is None else self._guarded)

    def _guarded(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        self.prepare(args, kwargs)
        return self.jitted(*args, **kwargs)

    def prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """To be called before JAX looks for something compiled other than by a call."""
        if self.guard is not None:
            with faults.stop("comparing a definition with its earlier one"):
                self.guard(args, kwargs)

    def _note_cleared(self) -> None:
        if len(self._cleared) > 10 * _HISTORY:
            self._cleared.clear()
        self._cleared.update(self.history)

    def still_holds(self, entry: int) -> bool:
        """Whether JAX still has this entry, as far as can be told without compiling."""
        size = internals.cache_size(self.jitted)
        return entry in self.examples and (size is None or size >= min(self.attribution.known, 1))

    def look_closely(self) -> None:
        """The next call may hit something never seen (compiled ahead of time or by another jit of this function)."""
        self._steer(gate=float("-inf"))

    def _take(
        self, returning: Returning, start: float, end: float, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> bool:
        """Note one more hit of a caller that waits for each; False if it has to be settled as any other call."""
        if (
            not _timing.pending
            and internals.TRACE.value is internals.IDLE
            and not is_any_thread_at_own_work()
            and (self.timing or options.timing) == "observe"
            and internals.cache_size(self.jitted) == self.attribution.known
            and self.attribution.find(args, kwargs) == returning.entry
            and returning.take(start, end, out)
        ):
            return True
        if self._returning is returning:
            self._returning = None
            returning.done()
        return False

    def _settle(
        self, start: float, end: float, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any], nested: bool = False
    ) -> None:
        """`nested`: a finalizer or a signal handler made this call while another was settled. That one comes first."""
        transformation = internals.transformations()
        if transformation == "" and internals.IDLE is True and _any_tracer(args, kwargs):
            transformation = "a transformation"
        if transformation is None or internals.DISABLE_JIT.value:
            if transformation is None:
                _timing.leave()
            else:
                _timing.take(start)
            _hotpath.append(start, end, Detail(-1 - self.function, INLINED))
            return
        phases = _timing.take(start) if _timing.pending else None
        if nested:
            signature = self.signature(args, kwargs, transformation)
            settle = functools.partial(self._settle_as, start, end, out, args, kwargs, phases, transformation, signature)
            _here.later.append((self, settle))
        else:
            self._settle_as(start, end, out, args, kwargs, phases, transformation)

    def _settle_as(
        self,
        start: float,
        end: float,
        out: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        phases: Phases | None,
        transformation: str,
        signature: Signature | None = None,
    ) -> None:
        if self._torn:
            with self.lock:
                self._torn = False
                attribution = self.attribution
                attribution.doubt(lambda entry: log.known_entry(entry) is not None)
                self._steer(select=attribution.select, learned=attribution.learned, only=attribution.only)
        if phases is not None and phases.compiled:
            signature = signature or self.signature(args, kwargs, transformation)
            self._miss(start, end, out, args, kwargs, phases, transformation, signature)
            return
        attribution, size = self.attribution, internals.cache_size(self.jitted)
        entry = None
        if not transformation and size == attribution.known and size is not None:
            entry = attribution.find(args, kwargs)
        if entry is None:
            entry = self._entry_of(args, kwargs, transformation, signature or self.signature(args, kwargs, transformation))
        self._hit(start, end, out, entry)

    def _entry_of(self, args: tuple[Any, ...], kwargs: dict[str, Any], transformation: str, signature: Signature) -> int:
        """The entry of a hit that was looked at closely; a new one if this hit an entry that someone else made."""
        with self.lock:
            size = internals.cache_size(self.jitted)
            if size is not None and 0 <= size < self.attribution.known:
                self._note_cleared()
                self._forget_entries()
            entry = self.attribution.entries.get(signature)
            if entry is None:
                entry = self._new_entry(signature, HIT, None, args, kwargs).id
                self.history.append(signature)
            self._account(entry, args, kwargs, size, False, transformation)
        log.drop_dead_entries(options.keep_entries)
        return entry

    def _miss(
        self,
        start: float,
        end: float,
        out: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        phases: Phases,
        transformation: str,
        signature: Signature,
    ) -> None:
        sighting = self._watch(out, phases.ended, end)
        if transformation and phases.trace_s is None:
            phases = phases._replace(trace_s=max(phases.began - start, 0.0))
        with self.lock:
            size = internals.cache_size(self.jitted)  # within the lock: another thread may have told of a greater one meanwhile
            meanwhile = self._hit_meanwhile(signature, start)
            before = self.attribution.known
            if size is not None and before > 0 and (size < before if transformation else size <= before):
                self._note_cleared()
            causes = self.causes_of(signature, signature in self._cleared)
            if len(causes) > 1 and not transformation and any(cause.cause == "device" for cause in causes):
                causes = self._but_of_unused(causes, signature, args, kwargs)
            self._cleared.discard(signature)
            self._remade = None
            if size is not None and size < before:
                self._forget_entries()
            outcome = DISK_HIT if phases.disk else MISS
            if meanwhile is not None:
                record = meanwhile
                record.outcome = OUTCOMES[outcome]
                record.trace_s, record.lower_s, record.compile_s = phases.trace_s, phases.lower_s, phases.compile_s
            else:
                old = self.attribution.drop(signature)
                if old is not None:
                    self._end_entry(old)
                record = self._new_entry(signature, outcome, phases, args, kwargs)
            self.history.append(signature)
            del self.history[:-_HISTORY]
            self._account(record.id, args, kwargs, size, True, transformation)
            self._add_costs(phases)
        detail = Detail(record.id, outcome, _seconds(phases))
        _observation.append(start, end, detail, sighting)
        self._steer(gate=float("-inf"))
        _hotpath.fold()
        miss = MissRecord(
            id=log.new_id("miss"),
            call=0,
            function=self.function,
            entry=record.id,
            causes=causes,
            cost_s=phases.cost_s,
            call_site=call_site(2),
            started_s=start + log.clock_offset,
        )
        with log.lock:
            miss.call, detail.miss = detail.call, miss  # where this is in the middle of a fold the next one tells the number
        log.add_miss(miss, options.keep_misses)
        log.drop_dead_entries(options.keep_entries)
        _stale.note_trace(self, record.id, args, kwargs)
        _cures.note_miss(self, Miss(signature, causes, phases.cost_s, record.id, miss.call_site), phases.trace_s, args, kwargs)
        if self.budget is not None:
            self.budget.compiled(self.record.qualname, causes, phases.cost_s)
        if self.check and not transformation:
            _check.check_call(self, out, args, kwargs)

    def _hit_meanwhile(self, signature: Signature, start: float) -> EntryRecord | None:
        """The entry of a call of another thread that got, since `start`, what this call compiled: it is this call's."""
        entry = self.attribution.entries.get(signature)
        record = log.known_entry(entry) if entry is not None else None
        if record is None or record.outcome != OUTCOMES[HIT] or record.created_s < start + log.clock_offset:
            return None
        if signature in self.history:
            self.history.remove(signature)
        return record

    def would_miss(self, signature: Signature) -> tuple[Cause, ...]:
        """Why a call that is about to compile misses."""
        size = internals.cache_size(self.jitted)
        shrunk = size is not None and size < self.attribution.known
        return self.causes_of(signature, signature in self._cleared or shrunk)

    def causes_of(self, signature: Signature, cleared: bool) -> tuple[Cause, ...]:
        """Why a call with this signature misses, or would miss."""
        causes = causes_of(signature, self.history, cleared=cleared, remade=self._compiled_before() or None)
        if self.not_kept:
            causes = tuple(replace(cause, now=self.not_kept) if cause.cause == "new_function" else cause for cause in causes)
        return causes

    def _but_of_unused(
        self, causes: tuple[Cause, ...], signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Cause, ...]:
        """Without where unused arguments live: JAX drops those before it compares placements."""
        if self.jit_arguments.get("keep_unused") or jax.config.jax_check_tracer_leaks:  # with leak checks it would trace again
            return causes
        from jupyter_jitmagic.diagnosis._quiet import Effect, OutOfTime, rerun

        try:
            with _check.unnoticed(self.fun, named_arguments(self.fun, args, kwargs)):  # JAX may have to trace again
                traced = rerun(functools.partial(self.jitted.trace, *args, **kwargs))
        except (RuntimeError, Effect, OutOfTime):  # donated arguments that are gone; what may not run twice
            return causes
        paths = {signature.leaves[i].path for i in internals.unused_inputs(traced) if i < len(signature.leaves)}
        return tuple(cause for cause in causes if cause.cause != "device" or cause.argument not in paths) or causes

    @property
    def has_compiled(self) -> bool:
        """Whether this function, or the one that it was created in place of, has compiled before."""
        return bool(self.history or self._compiled_before())

    def _compiled_before(self) -> list[Signature]:
        """What the functions compiled in whose place this one came."""
        return self._remade() if self._remade is not None else []

    def signature(self, args: tuple[Any, ...], kwargs: dict[str, Any], transformation: str) -> Signature:
        given = self.jit_options
        return signature_of(
            self.fun,
            args,
            kwargs,
            given.static_argnums,
            given.static_argnames,
            placed=self.placed,
            transformation=transformation,
        )

    def _new_entry(
        self, signature: Signature, outcome: int, phases: Phases | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> EntryRecord:
        record = EntryRecord(
            id=log.new_id("entry"),
            function=self.function,
            avals=signature.avals,
            static=dict(signature.static),
            transformation=signature.transformation,
            created_s=time.time(),
            outcome=OUTCOMES[outcome],
            superseded=self.record.superseded,
        )
        if phases is not None:
            record.trace_s, record.lower_s, record.compile_s = phases.trace_s, phases.lower_s, phases.compile_s
        self.attribution.add(signature, record.id)
        example = None if signature.transformation else example_of(self.jit_options, args, kwargs)
        if example is not None:
            self.examples[record.id] = example
        log.add_entry(record)
        if len(self.attribution.entries) > options.keep_entries:  # one that is hit once more is a new entry
            for entry in self.attribution.retire(1 + options.keep_entries // 4):
                self._end_entry(entry)
            self._steer(learned=self.attribution.learned)
        return record

    def _account(
        self, entry: int, args: tuple[Any, ...], kwargs: dict[str, Any], size: int | None, compiled: bool, transformation: str
    ) -> None:
        """Tell the closure what is known now."""
        if transformation:
            return
        attribution = self.attribution
        attribution.note_call(entry, args, kwargs, size, compiled)
        self._steer(select=attribution.select, learned=attribution.learned, only=attribution.only)

    def _add_costs(self, phases: Phases | None) -> None:
        if phases is not None:
            record = self.record
            record.trace_s += phases.trace_s or 0.0
            record.lower_s += phases.lower_s or 0.0
            record.compile_s += phases.compile_s or 0.0

    def _hit(self, start: float, end: float, out: Any, entry: int) -> None:
        """Append the row of a hit, watch its execution if that is due, and decide when to look again."""
        mode = self.timing or options.timing
        drop_outdated(end)
        pace = _observation.pace_of(entry)
        waited = _timing.compiled_until > start  # perhaps: JAX lets calls wait for another thread that compiles what they need
        observes = mode == "observe" and end >= self._watch_from and not waited
        judges = observes and pace.due()
        sighting = None
        if observes and not (judges and pace.short):
            if pace.each or self._row:
                pace.note_next(start)
                if pace.returns and TELLS and self._wait_for_caller(start, end, out, entry, pace):
                    return
            sighting = _observation.watch(out, start, start, end, pace)
        elif mode == "block":
            sighting = _blocked(out, start, max(start, _timing.compiled_until))
        if sighting is None:
            _hotpath.append_hit(start, end, entry)
        else:
            if observes and not pace.each:
                sighting.by_the_clock, sighting.cold = self._row == 0, self._row == 1
            _observation.append(start, end, Detail(entry, HIT), sighting)
        pace.latest = sighting
        if judges:
            _returning.hand_over()
            _hotpath.fold()
            _observation.judge()
        gate = _hotpath.full_at(end)
        if mode == "block":
            gate = float("-inf")
        elif mode == "observe":
            if observes:
                pause_s = self._pause_s(pace, sighting is not None)
                self._watch_from = end + pause_s
                pace.beginning = Beginning(end) if not pause_s and sighting is not None and sighting.at_return else None
            gate = min(gate, self._watch_from)
        self._put_off(gate)

    def _wait_for_caller(self, start: float, end: float, out: Any, entry: int, pace: _observation.Pace) -> bool:
        """From this call on have the caller see the ends itself; False if that does not work."""
        if pace.latest is None:
            return False
        count = pace.in_a_row - self._row
        expected_s = min(pace.latest.seen_s - pace.latest.start, pace.seconds or math.inf)
        if pace.each:
            count = AT_ONCE if pace.known else FEW_AT_ONCE
        returning = Returning(entry, pace, count, expected_s, cold=self._row == 1)
        if not returning.take(start, end, out):
            return False
        self._returning, pace.latest = returning, None
        pace.tries += 1
        if not pace.each:
            pace.watched += count
            self._row = 0
            self._watch_from = end + pace.pause_s()
        self._steer(gate=float("-inf"))
        return True

    def _pause_s(self, pace: _observation.Pace, watched: bool) -> float:
        """For how long no call is watched. Short ones are watched a few in a row."""
        pace.tries += 1
        if pace.each:
            self._row = 0
            return 0.0
        pace.watched += watched
        self._row = (self._row + 1) % pace.in_a_row if watched or self._row else 0
        return 0.0 if self._row else pace.pause_s()

    def _put_off(self, gate: float) -> None:
        """Look closely again after `gate`; at once while anything compiles, as that may be a call of this function, and while
        a call may be our own."""
        self._steer(gate=gate)
        if is_any_thread_at_own_work() or (_timing.pending and _timing.anything_compiles()):
            self._steer(gate=float("-inf"))

    def _watch(self, out: Any, ended: float, end: float) -> _observation.Sighting | None:
        """See the end of a call that compiled until `ended`."""
        mode = self.timing or options.timing
        if mode == "block":
            return _blocked(out, ended, end)
        return _observation.watch(out, ended, end, end) if mode == "observe" else None

    def _forget_entries(self) -> None:
        for entry in tuple(self.attribution.entries.values()):
            self._end_entry(entry)
        self.attribution.clear()

    def _end_entry(self, entry: int) -> None:
        self.examples.pop(entry, None)
        _observation.forget(entry)
        record = log.known_entry(entry)
        if record is not None:
            record.alive = False
            log.listeners.emit(Changed("entries", entry))


class _Here(threading.local):
    """What this thread is doing."""

    settling = False

    def __init__(self) -> None:
        self.later: deque[tuple[FunctionState, Callable[[], None]]] = deque()
        """Calls that were made in the middle of settling another."""


_here = _Here()
_unrecorded: list[type[Exception]] = []
"""Why calls have no row, untold: where that happens there is no room to tell it."""


def _settle_later() -> None:
    while _here.later:
        state, settle = _here.later.popleft()
        try:
            _here.settling = True
            settle()
        except (RecursionError, MemoryError) as error:
            state._torn = True
            _unrecorded.append(type(error))
        except Exception as error:
            state.give_up("recording a call", error)
        finally:
            _here.settling = False


def _tell_unrecorded() -> None:
    while _unrecorded:
        reason = _unrecorded.pop()
        faults.report("recording a call", reason("there was no room for our frames"), "calls like this one have no row")


log.folders.append(_tell_unrecorded)


def _after_fork() -> None:
    """The threads that were in the middle of something at a fork are not in the child."""
    for state in _timing.all_living():
        state.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _any_tracer(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether this is a call under an eager transformation, where JAX's inside does not tell."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree_util.tree_leaves((args, kwargs)))


def _leave_traceback(error: BaseException) -> None:
    """Where JAX took its own frames out of a traceback, take the closure's out too, by which it got there."""
    traceback = error.__traceback__
    if traceback is None or not _hotpath.is_call(traceback.tb_frame.f_code):
        return
    below = traceback.tb_next
    if below is None or not internals.is_jax_frame(below.tb_frame.f_code.co_filename):
        error.__traceback__ = below


def _not_built(**_: Any) -> None:
    """There is no call closure yet, or there will be none, as after a fault of ours: nothing to steer or to call."""


def _blocked(out: Any, start: float, latest: float) -> _observation.Sighting | None:
    """Wait for the call's outputs. An error of the computation surfaces later, where JAX raises it."""
    leaves = [leaf for leaf in jax.tree_util.tree_leaves(out) if isinstance(leaf, jax.Array) and hasattr(leaf, "is_ready")]
    try:
        for leaf in leaves:
            leaf.block_until_ready()
    except Exception:
        return None
    return _observation.blocked(start, latest, time.perf_counter()) if leaves else None


def _seconds(phases: Phases | None) -> tuple[float, float, float] | None:
    if phases is None:
        return None
    nan = float("nan")
    return (
        nan if phases.trace_s is None else phases.trace_s,
        nan if phases.lower_s is None else phases.lower_s,
        nan if phases.compile_s is None else phases.compile_s,
    )


internals.hide_frames(__file__)
