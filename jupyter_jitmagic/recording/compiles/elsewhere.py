"""Compiles of the rest of the process: plain ``jax.jit``, libraries, eager operations. One row per function and calling line.

Nothing is patched. JAX's monitoring events tell what compiled and how long it took; the frames below them tell which function
it was and with what arguments, so the causes of a recompile are known here as well. Nothing of it runs on a hit.
"""

from __future__ import annotations

import contextlib
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any, NamedTuple

from jupyter_jitmagic.base import jax_frames
from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.looking import attribute, text_attribute
from jupyter_jitmagic.recording.causes.differences import causes_of
from jupyter_jitmagic.recording.causes.signatures import Signature
from jupyter_jitmagic.recording.compiles import compiling_call, spans
from jupyter_jitmagic.recording.compiles.compiling_call import Compiling
from jupyter_jitmagic.recording.compiles.spans import Span
from jupyter_jitmagic.records.log import Changed, OtherRecord, log
from jupyter_jitmagic.usercode.call_site import call_site
from jupyter_jitmagic.usercode.origin import Earlier, Origin, origin_of, unwrapped
from jupyter_jitmagic.usercode.ownership import is_jax_function

_ROWS_LIMIT = 5000
_HISTORY = 64
_LINEAGES = 5000


class OtherCompile(NamedTuple):
    """One compile outside `jm.jit`. A phase that did not occur is None."""

    function: str
    module: str
    call_site: str
    causes: tuple[Cause, ...]
    trace_s: float | None
    lower_s: float | None
    compile_s: float
    disk: bool

    @property
    def cost_s(self) -> float:
        return (self.trace_s or 0.0) + (self.lower_s or 0.0) + self.compile_s


@dataclass(slots=True)
class _History:
    """What one way of jitting one function has compiled so far."""

    signatures: list[Signature] = field(default_factory=list)


@dataclass(slots=True)
class _Earlier:
    """Phases of a call that have ended while its compile is still to come."""

    trace: float | None = None
    lower: float | None = None


class Others:
    """Makes the rows of `log.others`; `listeners` hear of each compile as it happens."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[OtherCompile], None]] = []
        self._waiting: dict[int, dict[Any, _Earlier]] = {}
        self._histories: weakref.WeakKeyDictionary[Any, dict[Any, _History]] = weakref.WeakKeyDictionary()
        self._lineages: dict[Any, tuple[Earlier, list[Signature]]] = {}
        self._traced: dict[int, weakref.ref[Any]] = {}
        self._functions: dict[int, weakref.ref[Any]] = {}

    def traced(self, row: int) -> Any:
        """The closed jaxpr of what a row of `log.others` compiled last; None where JAX holds it no more, or did not show it."""
        return self._traced.get(row, lambda: None)()

    def function(self, row: int) -> Any:
        """The function of which that is; None where it is gone."""
        return self._functions.get(row, lambda: None)()

    def known(self, compiling: Compiling) -> bool:
        """Whether this function, or one created before it at the same place, has compiled already."""
        history, lineage = self._history_of(compiling), self._lineage_of(compiling)
        return bool(history and history.signatures) or bool(lineage)

    def why(self, compiling: Compiling) -> tuple[Cause, ...]:
        """The causes of a compile that is not yet in the history."""
        history = self._history_of(compiling)
        lineage = self._lineage_of(compiling)
        remade = lineage if lineage and not (history and history.signatures) else None
        return causes_of(compiling.signature(), history.signatures if history else [], remade=remade)

    def on_span(self, span: Span) -> None:
        """One phase outside any call of ours ended; called in its thread, below its frames."""
        try:
            self._on_span(span)
        except (RecursionError, MemoryError):  # the user's own call is near a limit: this compile has no row
            return
        except Exception as error:
            faults.report("following compiles outside jm.jit", error)

    def _on_span(self, span: Span) -> None:
        compiling = compiling_call.plain()
        name = compiling_call.bare_name(span.name)
        key = name if compiling is None else id(compiling.kwargs)
        waiting = self._waiting.setdefault(get_ident(), {})
        if span.phase != "compile":
            earlier = waiting.setdefault(key, _Earlier())
            setattr(earlier, span.phase, span.end - span.start)
            return
        earlier = waiting.get(key, _Earlier())
        waiting.clear()
        self._add(span, name, compiling, earlier)

    def _add(self, span: Span, name: str, compiling: Compiling | None, earlier: _Earlier) -> None:
        causes: tuple[Cause, ...] = (Cause("unknown"),)
        module = ""
        if compiling is not None and not compiling_call.bears_name(compiling.fun, name) and not is_jax_function(compiling.fun):
            compiling = None  # an eager operation while the function is traced
        if compiling is not None:
            module = "jax" if is_jax_function(compiling.fun) else text_attribute(compiling.fun, "__module__")
            causes = self.why(compiling)
            self._remember(compiling)
        done = OtherCompile(
            name_of(compiling) if compiling is not None and module != "jax" else name, module, call_site(2), causes,
            earlier.trace, earlier.lower, span.end - span.start, span.disk,
        )  # fmt: skip
        if log.paused_s is None:
            self._count(done, _traced(compiling), compiling.fun if compiling is not None else None)
        for listener in tuple(self.listeners):
            listener(done)

    def _count(self, done: OtherCompile, traced: Any, fun: Any) -> None:
        with log.lock:
            row = self._row(done)
            row.compiles += 1
            row.disk_hits += done.disk
            row.trace_s += done.trace_s or 0.0
            row.lower_s += done.lower_s or 0.0
            row.compile_s += done.compile_s
            row.causes, row.last_s = done.causes, time.time()
            for kept, value in ((self._traced, traced), (self._functions, fun if traced is not None else None)):
                kept.pop(row.id, None)
                with contextlib.suppress(TypeError):  # an object that nothing can refer to weakly
                    if value is not None:
                        kept[row.id] = weakref.ref(value)
        log.listeners.emit(Changed("others", row.id))

    def _row(self, done: OtherCompile) -> OtherRecord:
        key = (done.function, done.module, done.call_site)
        if key not in log.others and len(log.others) >= _ROWS_LIMIT:
            key = (done.function, done.module, "")
        if key not in log.others:
            log.others[key] = OtherRecord(log.new_id("other"), *key)
        return log.others[key]

    def _remember(self, compiling: Compiling) -> None:
        signature = compiling.signature()
        history = self._history_of(compiling)
        if history is None:
            history = _History()
            try:
                self._histories.setdefault(compiling.fun, {})[compiling.options] = history
            except TypeError:
                return
        history.signatures.append(signature)
        del history.signatures[:-_HISTORY]
        if not is_jax_function(compiling.fun):
            if len(self._lineages) > _LINEAGES:
                self._lineages.clear()
            before = self._lineages.get(_origin(compiling))
            own = before is not None and before[0].is_of(compiling.fun)
            lineage = before[1] if before is not None and own else self._lineage_of(compiling) or []
            lineage.append(signature)
            del lineage[:-_HISTORY]
            self._lineages[_origin(compiling)] = Earlier(compiling.fun), lineage

    def _history_of(self, compiling: Compiling) -> _History | None:
        try:
            return self._histories.get(compiling.fun, {}).get(compiling.options)
        except TypeError:
            return None

    def _lineage_of(self, compiling: Compiling) -> list[Signature] | None:
        if is_jax_function(compiling.fun):
            return None
        origin = _origin(compiling)
        made, signatures = self._lineages.get(origin, (None, []))
        return signatures if made is not None and made.is_made_again_as(compiling.fun, origin[0]) else None


def _traced(compiling: Compiling | None) -> Any:
    """The jaxpr of a function of the user's, also of its `jax.grad` and the like; of JAX's own functions none."""
    if compiling is None or is_jax_function(unwrapped(compiling.fun)):
        return None
    return jax_frames.traced_on_stack(sys._getframe())


def _origin(compiling: Compiling) -> tuple[Origin, Any]:
    return origin_of(compiling.fun), compiling.options


def name_of(compiling: Compiling) -> str:
    """What tables and messages call the function."""
    return str(attribute(compiling.fun, "__qualname__") or compiling_call.name_of(compiling.fun))


others = Others()


def install() -> None:
    """Begin to record; harmless when it is done already."""
    if others.on_span not in spans.outside:
        spans.outside.append(others.on_span)


def uninstall() -> None:
    """Stop recording; what was recorded stays."""
    if others.on_span in spans.outside:
        spans.outside.remove(others.on_span)
