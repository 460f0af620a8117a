"""After a cell whose trace failed: the advice below JAX's own error. Nothing here costs a passing call anything.

The error itself is left as it is. What is needed to diagnose it is read from its traceback when the cell has ended; of the
user's values nothing is kept.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from jupyter_jitmagic.base.errors import JitMagicError, faults
from jupyter_jitmagic.diagnosis.fixes import fixes
from jupyter_jitmagic.diagnosis.types import Diagnosis
from jupyter_jitmagic.display.advice import Context, advice, way
from jupyter_jitmagic.display.model import Document, PanelLink, Paragraph
from jupyter_jitmagic.live import comms
from jupyter_jitmagic.magics import front_end, placing, timed_cells
from jupyter_jitmagic.magics.failed_trace import Failure
from jupyter_jitmagic.magics.front_end import TypedCell
from jupyter_jitmagic.magics.request import jit_line

if TYPE_CHECKING:
    from jupyter_jitmagic.by_line.rolling import Rolled
    from jupyter_jitmagic.recording.guards.failed_calls import FailedCall


HINT = "`%jitfix` finds out why this cannot be traced, and puts the fix into the cell."
_EXPLAINED = "_jitmagic_explained"


@dataclass(frozen=True, slots=True)
class _Explained:
    """What an error carries that was explained: another cell may pass it on."""

    shown: Document
    failure: Failure | None


class Failures:
    """Listens to the end of each cell. `last` is what `%jitfix` works on: the failed trace, if that was the last failure."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.last: Failure | None = None
        self.rolled: Rolled | None = None
        """What `%jitlines --roll` found, if no cell has failed since."""
        self.by_record: dict[int, Failure] = {}
        """The latest ones by the numbers of their rows, for the panel."""
        self.failed_cell = TypedCell("")
        """The cell in which a trace failed last."""

    def cell_ended(self, result: Any, mistyped: type[Exception]) -> None:
        """Show the advice if the cell ended with a failed trace under `jm.jit`, a hint if it was plain `jax.jit`.

        Errors of the type `mistyped` are no failures: a magic's line was wrong.
        """
        error = result.error_in_exec or result.error_before_exec
        if not isinstance(error, Exception) or isinstance(error, mistyped):
            return  # an interrupted trace has not failed
        self.last = self.rolled = None
        if isinstance(error, JitMagicError) or error is not result.error_in_exec:
            return
        try:
            explained: _Explained | None = getattr(error, _EXPLAINED, None)
            if explained is not None:  # a cell magic ran this in a cell of its own, and passes the error on
                self.last = explained.failure
                front_end.show(self._shell, explained.shown)
                return
            call = failed_call(error)
            if call is None and (left := left_behind(self._shell, error)):
                self._show(error, Document.of([Paragraph(left, "dim")]))
            if call is None and failed_engine(error) is None:
                return
            typed = TypedCell(result.info.raw_cell, result.execution_count, getattr(result.info, "cell_id", None) or "")
            self.failed_cell = typed
            if call is None:  # the engine has explained it
                return
            if call.function:
                self.explain(call, error, typed)
            elif from_jax(error) or is_refused(error):
                self._show(error, Document.of([Paragraph(HINT, "dim")]))
        except KeyboardInterrupt:
            front_end.show(self._shell, Document.of([Paragraph("Interrupted. `%jitfix` starts again.", "dim")]))
        except Exception as fault:
            faults.report("explaining a failed trace", fault)

    def explain(self, call: FailedCall, error: BaseException, typed: TypedCell, *, always: bool = False) -> Failure | None:
        """Diagnose a failed call, keep what was found, and show it.

        Errors that the user's own code raises are not explained unless `always`: their message says it all.
        """
        from jupyter_jitmagic.recording.api.failing import diagnosis_of
        from jupyter_jitmagic.source.units import plain_function

        timed_cells.show_for(unwrapped(call.fun))
        diagnosis = diagnosis_of(call, error)
        if diagnosis.kind == "traces" or (diagnosis.kind == "not_staticness" and not always and not from_jax(error)):
            return None
        record = _record(diagnosis)
        function = plain_function(unwrapped(call.fun))
        filename, line = (function.__code__.co_filename, function.__code__.co_firstlineno) if function else ("", 0)
        self.last = self.by_record[record] = Failure(diagnosis, filename, line, typed, record)
        while len(self.by_record) > _FAILURES_KEPT:
            del self.by_record[next(iter(self.by_record))]
        shown = advice(diagnosis, self.context(self.last))
        if comms.is_heard():
            shown = Document((*shown.blocks, PanelLink("Show in the panel", "advice", record, comms.epoch())))
        self._show(error, shown)
        return self.last

    def _show(self, error: BaseException, document: Document) -> None:
        with suppress(AttributeError):  # an error that takes no attributes is explained twice at worst
            setattr(error, _EXPLAINED, _Explained(document, self.last))
        front_end.show(self._shell, document)

    def context(self, failure: Failure) -> Context:
        typed = front_end.typed_cell(self._shell, failure.filename) or failure.cell
        ways = fixes(failure.diagnosis)
        return Context(
            place=lambda name, line: front_end.place(self._shell, name, line),
            form="decorator" if jit_line(typed.text) is None else "magic",
            cost_s=_measured_compile(failure.filename, failure.line),
            jitfix=placing.what_jitfix_does(self._shell, failure, ways[0]) if ways else "",
            option=placing.option_as_typed(self._shell, failure, ways[0]) if ways else "",
        )


_FAILURES_KEPT = 30


def _record(diagnosis: Diagnosis) -> int:
    from jupyter_jitmagic.records.log import DiagnosisRecord, log

    ways = fixes(diagnosis)
    facts = {**diagnosis.to_dict(), "fix": way(ways[0]) if ways else ""}
    record = DiagnosisRecord(log.new_id("diagnosis"), diagnosis.function, time.time(), facts)
    log.add_diagnosis(record)
    return record.id


def _measured_compile(filename: str, line: int) -> float | None:
    """What the last miss of the function defined there was measured to cost, if there was one: of no other one of its name."""
    from jupyter_jitmagic.records.log import log

    numbers = {record.id for record in log.functions.values() if (record.filename, record.line) == (filename, line)}
    costs = [miss.cost_s for miss in log.misses if miss.function in numbers and miss.cost_s]
    return costs[-1] if costs else None


def last_error() -> BaseException | None:
    """The error that the shell showed last."""
    return getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)


def failed_call(error: BaseException) -> FailedCall | None:
    """The outermost jitted call in whose trace an error arose, or the one that met another of JAX's traces; None if it arose in
    none."""
    from jupyter_jitmagic.recording.api.jitting import failed_call as in_traceback

    found = next((call for traceback in _tracebacks(error) if (call := in_traceback(traceback))), None)
    if found is not None:
        return found
    if not is_refused(error):
        from jupyter_jitmagic.magics.eager_calls import eager_call

        return eager_call(error)
    from jupyter_jitmagic.magics.refused_calls import refused_call

    return refused_call(error)


def left_behind(shell: Any, error: BaseException) -> str:
    """What is to be said of an error that met a tracer which a jitted function has left behind; "" of any other."""
    if type(error).__name__ != "UnexpectedTracerError":
        return ""
    from jupyter_jitmagic.recording.guards.left_tracers import left_by

    found = left_by(error)
    if found is None:
        return ""
    name, filename, line = found
    where = front_end.place(shell, filename, line)
    return (
        f"A value here is a tracer, and no number: `{name}` ({where}) kept it outside of itself "
        f"while jit traced it. Let `{name}` return it; `jupyter_jitmagic.diagnose({name}, …)`, given the arguments of a call, "
        "says what to write instead."
    )


def is_refused(error: BaseException) -> bool:
    """Whether plain ``jax.jit`` refused a call, as a static argument has no hash."""
    return type(error) is ValueError and str(error).startswith("Non-hashable static arguments are not supported")


def failed_engine(error: BaseException | None) -> int | None:
    """The first engine of ipyparallel that an error is from; None if it arose here."""
    if not type(error).__module__.startswith("ipyparallel."):
        return None
    from jupyter_jitmagic.processes.running import first_failed

    return first_failed(error)


def _tracebacks(error: BaseException) -> Iterator[TracebackType]:
    """The one that JAX hangs to an error from which it took its own frames, and the error's own."""
    for each in (error.__cause__, error):
        if each is not None and each.__traceback__ is not None and (each is error or "Unfiltered" in type(each).__name__):
            yield each.__traceback__


def from_jax(error: BaseException) -> bool:
    """Did JAX itself raise this (and not the user's code that it ran)?"""
    if type(error).__module__.startswith("jax"):
        return not type(error).__name__.endswith("RuntimeError")
    step = next(_tracebacks(error), None)
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    name = step.tb_frame.f_globals.get("__name__") if step else ""
    # where JAX's compiled part raises, the last frame is the one that called it: ours
    return isinstance(name, str) and name.partition(".")[0] in ("jax", "jaxlib", "numpy", "jupyter_jitmagic")


def unwrapped(function: Any) -> Any:
    """The plain function below every wrapper."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return getattr(function, "__func__", function)
