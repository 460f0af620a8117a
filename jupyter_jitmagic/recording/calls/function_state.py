"""What happens to a call that is not a plain hit: which outcome it had, what it cost, which entry it used."""

from __future__ import annotations

import functools
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax

from jupyter_jitmagic.base import jax_frames
from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.base.errors import CheckWarning, RecompileError, RecompileWarning, faults
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.base.own_work import is_any_thread_at_own_work, is_own_work
from jupyter_jitmagic.recording import hot_path
from jupyter_jitmagic.recording.calls import argument_history
from jupyter_jitmagic.recording.calls.entries import Entries
from jupyter_jitmagic.recording.causes.signatures import Signature
from jupyter_jitmagic.recording.causes.trace_context import config_context
from jupyter_jitmagic.recording.compiles import budgets, spans
from jupyter_jitmagic.recording.compiles.spans import Phases
from jupyter_jitmagic.recording.executions import observation
from jupyter_jitmagic.recording.executions.hit_watching import HitWatching
from jupyter_jitmagic.recording.executions.waiter import peek, watching
from jupyter_jitmagic.recording.guards import failed_calls
from jupyter_jitmagic.recording.guards.traces import Traces
from jupyter_jitmagic.recording.hot_path import Detail
from jupyter_jitmagic.recording.jitted import Jitted, Missed, Observer
from jupyter_jitmagic.records.log import DISK_HIT, EAGER, ERROR, INLINED, MISS, MissRecord, log
from jupyter_jitmagic.usercode.call_site import call_site

Guard = Callable[[tuple[Any, ...], dict[str, Any]], None]


class Cure(Protocol):
    """What may make a call work whose trace fails (``auto=True``)."""

    def cure(self, target: FunctionState, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException) -> bool:
        """Whether it has put the function under jit in another way, so that the call is worth making again."""


class FunctionState:
    """What the calls of one jitted function meet: what is known of it (`facts`), its entries, what watches its executions.
    Lives as long as the function; the records of it live in the log.

    Args:
        facts: the function.
        timing: how its executions are measured, if not as `jm.options.timing` says.
        remade: what the functions compiled in whose place this one came, if there is such a one.
    """

    def __init__(self, facts: Jitted, timing: str | None, remade: Callable[[], list[Signature]] | None) -> None:
        self.facts = facts
        self.function = facts.function
        self.entries = Entries(facts, remade)
        self.watching = HitWatching(timing)
        self.recording = log.paused_s is None
        self.observers: Sequence[Observer] = ()
        """Told of each miss, in this order."""
        self.budget: budgets.Budget | None = None
        self.auto: Cure | None = None
        self.traces: Traces | None = None
        """With `keep` what all traces read."""
        self.guard: Guard | None = None
        self._torn = False
        """Ctrl-C or a limit cut a change of the entries short."""
        self._steer: hot_path.Steer = _not_built
        self._call: Callable[[], Any] = _not_built

    @property
    def name(self) -> str:
        return self.facts.name

    def build(self) -> Callable[..., Any]:
        """The function that stands for the jitted one. The state does not hold it, so that it goes when the user lets go."""
        call, self._steer = hot_path.build(self.facts.jitted, self, watching, peek)
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
                    follows = self.watching.follows and not nested and not self._torn
                    if not follows or not self._took(start, end, out, args, kwargs):
                        self._settle(start, end, out, args, kwargs, nested)
                elif spans.pending:
                    spans.take(start)
            except (RecompileWarning, CheckWarning):  # the user's filters made an error of it
                raise
            except (RecursionError, MemoryError) as error:  # the user's own call is near a limit
                self._torn = True
                _unrecorded.append(type(error))
            except spans.Lost:
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
        spans.error_ended()
        self.facts.take_signature()
        if isinstance(error, budgets.Refused) and error.function == self.function:
            return functools.partial(self._instead, start, args, kwargs, error)
        try:
            if self.auto is not None and internals.transformations() == "" and self.auto.cure(self, args, kwargs, error):
                spans.take(start)
                return functools.partial(self.again, args, kwargs)
            self._record_failed(start, args, kwargs)
            if not log.shells:  # there, advice finds the call in the traceback
                _leave_traceback(error)
                if internals.transformations() == "":
                    facts = self.facts
                    call = failed_calls.FailedCall(facts.fun, args, kwargs, dict(facts.jit_arguments), self.function)
                    failed_calls.keep(error, call)
        except Warning:  # the user's filters made an error of it
            raise
        except (RecursionError, MemoryError) as fault:  # the user's own call is near a limit
            _unrecorded.append(type(fault))
        except spans.Lost:
            self._torn = True
        except Exception as fault:
            self.give_up("recording a failed call", fault)
        return None

    def again(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call once more, after its function was put under jit anew."""
        return self._call()(*args, **kwargs)

    def _instead(self, start: float, args: tuple[Any, ...], kwargs: dict[str, Any], refused: budgets.Refused) -> Any:
        __tracebackhide__ = True
        if refused.message:
            with faults.stop("recording a refused compile"):
                self._record_failed(start)
            raise RecompileError(refused.message)
        with faults.stop("recording a refused compile"):
            spans.take(start)
        out = self.facts.fun(*args, **kwargs)
        with faults.stop("recording a refused compile"):
            hot_path.append(start, time.perf_counter(), Detail(-1 - self.function, EAGER))
        return out

    def _record_failed(self, start: float, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> None:
        if not self.recording:
            return
        end = time.perf_counter()
        phases = None
        if internals.transformations() is None:
            spans.leave()
        elif spans.pending:
            phases = spans.take(start)
        self._add_costs(phases)
        argument_history.note_failed(self.facts.record, self.facts.fun, args, kwargs or {})
        hot_path.append(start, end, Detail(-1 - self.function, ERROR, _seconds(phases)))

    def _settle(
        self, start: float, end: float, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any], nested: bool = False
    ) -> None:
        """`nested`: a finalizer or a signal handler made this call while another was settled. That one comes first."""
        made = self.facts.take_signature(args, kwargs)  # whatever comes, it is kept no longer
        transformation = internals.transformations()
        if transformation == "" and internals.IDLE is True and _any_tracer(args, kwargs):
            transformation = "a transformation"
        if transformation is None or internals.DISABLE_JIT.value:
            if transformation is None:
                spans.leave()
            else:
                spans.take(start)
            hot_path.append(start, end, Detail(-1 - self.function, INLINED))
            return
        phases = spans.take(start) if spans.pending else None
        if made is not None and (made.transformation, made.config) != (transformation, config_context()):
            made = None  # while JAX lowers, its own settings may be others
        if nested:
            signature = made or self.facts.signature(args, kwargs, transformation)
            settle = functools.partial(self._settle_as, start, end, out, args, kwargs, phases, transformation, signature)
            _here.later.append((self, settle))
        else:
            self._settle_as(start, end, out, args, kwargs, phases, transformation, made)

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
        entries = self.entries
        if self._torn:
            with entries.lock:
                self._torn = False
                entries.doubt()
                self._steer_to_entries()
        if phases is not None and phases.compiled:
            signature = signature or self.facts.signature(args, kwargs, transformation)
            self._miss(start, end, out, args, kwargs, phases, signature)
            return
        attribution, size = entries.attribution, entries.jax_holds
        entry = None
        if not transformation and size == attribution.known and size is not None:
            entry = attribution.find(args, kwargs)
        if entry is None:
            signature = signature or self.facts.signature(args, kwargs, transformation)
            with entries.lock:
                entry = entries.hit(signature, args, kwargs)
                self._steer_to_entries()
            log.drop_dead_entries(options.keep_entries)
        self._put_off(self.watching.hit(start, end, out, entry))

    def _miss(
        self,
        start: float,
        end: float,
        out: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        phases: Phases,
        signature: Signature,
    ) -> None:
        sighting = self.watching.compiled(out, phases.ended, end)
        if signature.transformation and phases.trace_s is None:
            phases = phases._replace(trace_s=max(phases.began - start, 0.0))
        outcome = DISK_HIT if phases.disk else MISS
        with self.entries.lock:
            record, causes = self.entries.compiled(signature, outcome, phases, start, args, kwargs)
            self._steer_to_entries()
            self._add_costs(phases)
        detail = Detail(record.id, outcome, _seconds(phases))
        observation.append(start, end, detail, sighting)
        self._steer(gate=float("-inf"))
        hot_path.fold()
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
        missed = Missed(signature, causes, record.id, miss.call_site, phases.trace_s, phases.cost_s, args, kwargs, out)
        for observer in self.observers:
            observer(self.facts, missed)

    def _took(self, start: float, end: float, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Note one more hit like those before; False if it has to be settled as any other call."""
        attribution = self.entries.attribution
        if (
            not spans.pending
            and internals.TRACE.value is internals.IDLE
            and not is_any_thread_at_own_work()
            and self.watching.mode == "observe"
            and self.entries.jax_holds == attribution.known
            and (entry := attribution.find(args, kwargs)) is not None
            and (gate := self.watching.take(start, end, out, entry, attribution.select is None)) is not None
        ):
            self._put_off(gate)
            return True
        self.watching.stop_following()
        return False

    # -- how the closure goes on ----------------------------------------------------------------------------------------

    def _steer_to_entries(self) -> None:
        """Tell the closure how a hit finds its entry now."""
        attribution = self.entries.attribution
        self._steer(
            select=attribution.select, shape_of=attribution.shape_of, learned=attribution.learned, only=attribution.only
        )

    def _put_off(self, gate: float) -> None:
        """Look closely again after `gate`; at once while anything compiles, as that may be a call of this function."""
        self._steer(gate=gate)
        if spans.pending and spans.anything_compiles():
            self._steer(gate=float("-inf"))

    def look_closely(self) -> None:
        """The next call may hit something never seen (compiled ahead of time or by another jit of this function)."""
        self._steer(gate=float("-inf"))

    def guard_with(self, guard: Guard | None) -> None:
        """Have every call ask `guard` before JAX is called; None: no more."""
        self.guard = guard
        self._steer(gate=float("-inf"), jitted=self.facts.jitted if guard is None else self._guarded)

    def _guarded(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        self.prepare(args, kwargs)
        return self.facts.jitted(*args, **kwargs)

    def prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """To be called before JAX looks for something compiled other than by a call."""
        if self.guard is not None:
            with faults.stop("comparing a definition with its earlier one"):
                self.guard(args, kwargs)

    # -- what comes between its calls -----------------------------------------------------------------------------------

    def use(self, jitted: Any, jit_arguments: dict[str, Any]) -> None:
        """From now on call `jitted`, the same function with other arguments of ``jax.jit``."""
        with self.entries.lock:
            self.entries.forget()
            self.traces = None  # of a function that is called in another way now
            self.facts.put_under(jitted, jit_arguments)
            self._steer(gate=float("-inf"), select=None, jitted=jitted)

    def cleared(self) -> None:
        """JAX's cache of this function was cleared on purpose."""
        with self.entries.lock:
            self.entries.forget()
            self.entries.note_cleared()
            self._steer(gate=float("-inf"), select=None)

    def created_again(self, why: str) -> None:
        """Nothing that was compiled may be used: the function counts as another one, created just now."""
        self.facts.jitted.clear_cache()
        with self.entries.lock:
            if self.traces is not None:
                self.traces.forget()
            self.entries.created_again(why)
            self._steer(gate=float("-inf"), select=None)

    def pause(self, paused: bool) -> None:
        """Stop recording for now, or go on; a function that gave up stays as it is."""
        if self.facts.record.recording:
            self.recording = not paused
            self._steer(gate=float("-inf"))

    def give_up(self, place: str, error: BaseException) -> None:
        """Our own fault: from now on this function runs unrecorded, and the user is told once."""
        self.recording = self.facts.record.recording = False
        faults.report(place, error, "your call runs as plain jax.jit")

    def after_fork(self) -> None:
        """What another thread was changing at a fork stays half changed in the child."""
        if self.entries.renew_lock():
            self._torn = True
            self._steer(gate=float("-inf"))

    # -- the rest -------------------------------------------------------------------------------------------------------

    def would_miss(self, signature: Signature) -> tuple[Cause, ...]:
        """Why a call that is about to compile misses."""
        return self.entries.would_miss(signature)

    @property
    def has_compiled(self) -> bool:
        """Whether this function, or the one that it was created in place of, has compiled before."""
        return self.entries.has_compiled

    def _add_costs(self, phases: Phases | None) -> None:
        if phases is not None:
            record = self.facts.record
            record.trace_s += phases.trace_s or 0.0
            record.lower_s += phases.lower_s or 0.0
            record.compile_s += phases.compile_s or 0.0


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


def tell_unrecorded() -> None:
    """Tell of calls that have no row, now that there is room. Part of a fold."""
    while _unrecorded:
        reason = _unrecorded.pop()
        faults.report("recording a call", reason("there was no room for our frames"), "calls like this one have no row")


def _any_tracer(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether this is a call under an eager transformation, where JAX's inside does not tell."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree_util.tree_leaves((args, kwargs)))


def _leave_traceback(error: BaseException) -> None:
    """Where JAX took its own frames out of a traceback, take the closure's out too, by which it got there."""
    traceback = error.__traceback__
    if traceback is None or not hot_path.is_call(traceback.tb_frame.f_code):
        return
    below = traceback.tb_next
    if below is None or not jax_frames.is_jax_frame(below.tb_frame.f_code.co_filename):
        error.__traceback__ = below


def _not_built(**_: Any) -> None:
    """There is no call closure yet, or there will be none, as after a fault of ours: nothing to steer or to call."""


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
