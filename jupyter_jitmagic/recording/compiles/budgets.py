"""Budgets of compiles: what happens when a function compiles more often than it may, before the compile is paid.

JAX announces each lowering and each backend compile before it begins. `_on_start` hears that, asks whoever has a say (the
function's `Budget`, a surrounding `no_recompile`), and an exception raised there travels through JAX to the call. So only what
compiles is ever asked; a hit costs nothing. The trace has been paid by then and stays in JAX's trace cache.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.causes import Cause, sentence
from jupyter_jitmagic.base.errors import OptionError, RecompileWarning, faults
from jupyter_jitmagic.base.options import ON_MISS
from jupyter_jitmagic.base.own_work import is_own_work
from jupyter_jitmagic.base.wording import duration, short_name
from jupyter_jitmagic.recording.compiles import compiling_call
from jupyter_jitmagic.recording.compiles.compiling_call import Compiling
from jupyter_jitmagic.recording.compiles.hearing import Hearing
from jupyter_jitmagic.recording.jitted import Jitted, Missed
from jupyter_jitmagic.records.log import log
from jupyter_jitmagic.usercode.call_site import user_depth

_PAID = (internals.LOWER_EVENT, internals.COMPILE_EVENT)

Judge = Callable[[Compiling, str], None]
"""Is told who compiles and the event's name; raises to refuse."""


class Refused(Exception):
    """Carries a refused compile up through JAX to the call closure of `function`: with a message it becomes a `RecompileError`,
    without one the plain function runs."""

    def __init__(self, function: int, message: str = "") -> None:
        super().__init__(message)
        self.function, self.message = function, message


def check_budget(on_miss: str | None, max_compiles: int | None) -> None:
    """Refuse values that make no sense, in one line."""
    if on_miss is not None and on_miss not in ON_MISS:
        raise OptionError(f"on_miss={on_miss!r}: choose one of {', '.join(ON_MISS)}")
    if max_compiles is not None and (not isinstance(max_compiles, int) or isinstance(max_compiles, bool) or max_compiles < 1):
        raise OptionError(f"max_compiles={max_compiles!r}: give a whole number above 0")


class Budget:
    """How often one function may compile and what happens then.

    Args:
        on_miss: "allow", or from the (`max_compiles` + 1)th compile on "warn" (compile and tell why), "raise" (`RecompileError`
            in place of the compile) or "eager" (run the plain function in place of the compile).
        max_compiles: compiles that are always allowed, 1 or more: a first call is never refused.

    Raises:
        OptionError: a value that makes no sense.
    """

    def __init__(self, on_miss: str | None = None, max_compiles: int | None = None) -> None:
        check_budget(on_miss, max_compiles)
        self.on_miss = on_miss or ("allow" if max_compiles is None else "raise")
        self.max_compiles = max_compiles or 1
        self.compiles = 0
        if self.on_miss in ("raise", "eager"):
            judge_with(_within_budget)

    @property
    def is_used_up(self) -> bool:
        return self.on_miss != "allow" and self.compiles >= self.max_compiles

    def note_miss(self, facts: Jitted, missed: Missed) -> None:
        """Count a compile that was paid, and tell it if that is wanted. An `Observer`."""
        if self.on_miss == "warn" and self.is_used_up:
            name = short_name(facts.record.qualname)
            warning = f"{name} compiled again ({duration(missed.cost_s)}): {sentence(missed.causes)}."
            if missed.entry:
                log.warned_of.append(missed.entry)
            warnings.warn(f"{warning} {self._allowance()}", RecompileWarning, stacklevel=user_depth())
        self.compiles += 1

    def refusal(self, name: str, causes: tuple[Cause, ...]) -> str:
        return f"{short_name(name)} would compile again: {sentence(causes)}. {self._allowance()}"

    def _allowance(self) -> str:
        times = "once" if self.max_compiles == 1 else f"{self.max_compiles} times"
        return f"It may compile {times} (max_compiles={self.max_compiles})."


def _within_budget(compiling: Compiling, event_name: str) -> None:
    state = compiling.state
    if state is None or state.budget is None or not state.budget.is_used_up:
        return
    if state.budget.on_miss == "eager":
        raise Refused(state.function)
    if state.budget.on_miss == "raise":
        raise Refused(state.function, state.budget.refusal(state.facts.record.qualname, why(compiling)))


def why(compiling: Compiling) -> tuple[Cause, ...]:
    """The causes of a compile of `jm.jit`'s function that has not happened yet."""
    state = compiling.state
    return (Cause("unknown"),) if state is None else state.would_miss(compiling.signature())


# ---- hearing of a compile before it begins

_judges: tuple[Judge, ...] = ()
_lock = threading.Lock()
_listening = False


def judge_with(judge: Judge) -> None:
    """Ask `judge` from now on before anything compiles; twice is once."""
    global _judges, _listening
    with _lock:
        if judge not in _judges:
            _judges = (*_judges, judge)
        if not _listening:
            _listening = True
            _hearing.begin()


def _on_start(event: str, value: float, **kwargs: Any) -> None:
    if event not in _PAID:
        return
    try:
        if is_own_work():
            return
        compiling = who_compiles(str(kwargs.get("fun_name", "")))
    except Exception as error:
        faults.report("asking whether a compile is allowed", error)
        return
    if compiling is not None:
        for judge in _judges:
            judge(compiling, event)


_hearing = Hearing("scalar", _on_start)


def after_fork() -> None:
    """The thread that held the lock at a fork is not in the child."""
    global _lock
    _lock = threading.Lock()


def who_compiles(event_name: str) -> Compiling | None:
    """The jitted function that this compile is of: ours if the event bears its name, else the one that JAX holds."""
    own, inner = compiling_call.ours(), compiling_call.plain()
    if own is not None and (inner is None or inner.fun is own.fun) and compiling_call.bears_name(own.fun, event_name):
        return own
    if own is not None and inner is None:
        return None
    return inner
