"""The cache entries of one jitted function: which live, which came before them, and why a call misses."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.recording.calls.attribution import Attribution
from jupyter_jitmagic.recording.calls.examples import Example, example_of
from jupyter_jitmagic.recording.causes.argument_texts import arguments_text
from jupyter_jitmagic.recording.causes.binding import named_arguments
from jupyter_jitmagic.recording.causes.differences import causes_of
from jupyter_jitmagic.recording.causes.signatures import Signature
from jupyter_jitmagic.recording.compiles.spans import Phases
from jupyter_jitmagic.recording.executions import observation
from jupyter_jitmagic.recording.jitted import Jitted
from jupyter_jitmagic.records.log import HIT, OUTCOMES, Changed, EntryRecord, log

_HISTORY = 1000


class Entries:
    """Whoever changes or compares them holds `lock`.

    Args:
        facts: the function that they are of.
        remade: what the functions compiled in whose place this one came, if there is such a one.
    """

    def __init__(self, facts: Jitted, remade: Callable[[], list[Signature]] | None) -> None:
        self.lock = threading.RLock()
        self.attribution = Attribution(facts.jit_options)
        self.history: list[Signature] = []
        """What was compiled, the latest last."""
        self.examples: dict[int, Example] = {}
        """Of each live entry, what a call looks like: for whoever asks for its programs and sizes."""
        self.not_kept = ""
        """With `keep`: why what an earlier definition has compiled may not be used."""
        self._facts = facts
        self._remade = remade
        self._cleared: set[Signature] = set()
        """What JAX's cache has held before it was cleared."""

    @property
    def jax_holds(self) -> int | None:
        """How many keys JAX's cache of this function holds, where that can be known."""
        return internals.cache_size(self._facts.jitted)

    def renew_lock(self) -> bool:
        """In the child of a fork: whether a thread that is not there held the lock. Then another one takes its place."""
        if self.lock.acquire(blocking=False):
            self.lock.release()
            return False
        self.lock = threading.RLock()
        return True

    @property
    def has_compiled(self) -> bool:
        """Whether this function, or the one that it was created in place of, has compiled before."""
        return bool(self.history or self._compiled_before())

    def still_holds(self, entry: int) -> bool:
        """Whether JAX still has this entry, as far as can be told without compiling."""
        size = self.jax_holds
        return entry in self.examples and (size is None or size >= min(self.attribution.known, 1))

    # -- they come and go

    def hit(self, signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        """The entry of a hit that was looked at closely; a new one if this hit an entry that someone else made."""
        size = self.jax_holds
        if size is not None and 0 <= size < self.attribution.known:
            self.note_cleared()
            self.forget()
        entry = self.attribution.entries.get(signature)
        if entry is None:
            entry = self._new(signature, HIT, None, args, kwargs).id
            self.history.append(signature)
        self._account(entry, signature, args, kwargs, size, compiled=False)
        return entry

    def compiled(
        self, signature: Signature, outcome: int, phases: Phases, start: float, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[EntryRecord, tuple[Cause, ...]]:
        """The entry of a call that compiled since `start`, and why it had to."""
        transformation = signature.transformation
        size = self.jax_holds  # within the lock: another thread may have told of a greater one meanwhile
        record = self._hit_meanwhile(signature, start)
        before = self.attribution.known
        if size is not None and before > 0 and (size < before if transformation else size <= before):
            self.note_cleared()
        causes = self.causes_of(signature, signature in self._cleared)
        if len(causes) > 1 and not transformation and any(cause.cause == "device" for cause in causes):
            causes = self._but_of_unused(causes, signature, args, kwargs)
        self._cleared.discard(signature)
        self._remade = None
        if size is not None and size < before:
            self.forget()
        if record is not None:
            record.outcome = OUTCOMES[outcome]
            record.trace_s, record.lower_s, record.compile_s = phases.trace_s, phases.lower_s, phases.compile_s
        else:
            old = self.attribution.drop(signature)
            if old is not None:
                self._end(old)
            record = self._new(signature, outcome, phases, args, kwargs)
        self.history.append(signature)
        del self.history[:-_HISTORY]
        self._account(record.id, signature, args, kwargs, size, compiled=True)
        return record, causes

    def doubt(self) -> None:
        """A change of these was cut short: only what has a row is believed."""
        self.attribution.doubt(lambda entry: log.known_entry(entry) is not None)

    def forget(self) -> None:
        """None lives any longer."""
        for entry in tuple(self.attribution.entries.values()):
            self._end(entry)
        self.attribution.clear()

    def note_cleared(self) -> None:
        """JAX's cache was cleared: what compiles again does so for that."""
        if len(self._cleared) > 10 * _HISTORY:
            self._cleared.clear()
        self._cleared.update(self.history)

    def created_again(self, why: str) -> None:
        """Nothing that was compiled may be used: the function counts as another one, created just now."""
        self.not_kept = why
        self.forget()
        compiled = self.history
        self._remade = lambda: compiled
        self.history = []
        self._cleared.clear()

    # -- why a call misses

    def would_miss(self, signature: Signature) -> tuple[Cause, ...]:
        """Why a call that is about to compile misses."""
        size = self.jax_holds
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
        facts = self._facts
        if facts.jit_arguments.get("keep_unused") or jax.config.jax_check_tracer_leaks:  # with leak checks it would trace again
            return causes
        from jupyter_jitmagic.recording.guards import checking
        from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun

        try:
            with checking.unnoticed(facts.fun, named_arguments(facts.fun, args, kwargs)):  # JAX may have to trace again
                traced = rerun(functools.partial(facts.jitted.trace, *args, **kwargs))
        except (RuntimeError, Effect, OutOfTime):  # donated arguments that are gone; what may not run twice
            return causes
        paths = {signature.leaves[i].path for i in internals.unused_inputs(traced) if i < len(signature.leaves)}
        return tuple(cause for cause in causes if cause.cause != "device" or cause.argument not in paths) or causes

    def _compiled_before(self) -> list[Signature]:
        """What the functions compiled in whose place this one came."""
        return self._remade() if self._remade is not None else []

    # -- their records

    def _hit_meanwhile(self, signature: Signature, start: float) -> EntryRecord | None:
        """The entry of a call of another thread that got, since `start`, what this call compiled: it is this call's."""
        entry = self.attribution.entries.get(signature)
        record = log.known_entry(entry) if entry is not None else None
        if record is None or record.outcome != OUTCOMES[HIT] or record.created_s < start + log.clock_offset:
            return None
        if signature in self.history:
            self.history.remove(signature)
        return record

    def _new(
        self, signature: Signature, outcome: int, phases: Phases | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> EntryRecord:
        record = EntryRecord(
            id=log.new_id("entry"),
            function=self._facts.function,
            avals=signature.avals,
            arguments=arguments_text(signature),
            key=signature,
            static=dict(signature.static),
            transformation=signature.transformation,
            created_s=time.time(),
            outcome=OUTCOMES[outcome],
            superseded=self._facts.record.superseded,
        )
        if phases is not None:
            record.trace_s, record.lower_s, record.compile_s = phases.trace_s, phases.lower_s, phases.compile_s
        self.attribution.add(signature, record.id)
        example = None if signature.transformation else example_of(self._facts.jit_options, args, kwargs)
        if example is not None:
            self.examples[record.id] = example
        log.add_entry(record)
        if len(self.attribution.entries) > options.keep_entries:  # one that is hit once more is a new entry
            for entry in self.attribution.retire(1 + options.keep_entries // 4):
                self._end(entry)
        return record

    def _account(
        self,
        entry: int,
        signature: Signature,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        size: int | None,
        *,
        compiled: bool,
    ) -> None:
        if not signature.transformation:
            self.attribution.note_call(entry, args, kwargs, size, compiled)

    def _end(self, entry: int) -> None:
        self.examples.pop(entry, None)
        observation.forget(entry)
        record = log.known_entry(entry)
        if record is not None:
            record.alive = False
            log.listeners.emit(Changed("entries", entry))
