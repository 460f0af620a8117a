"""A rewrite compiled, to be compared with plain Python; its while loops are bounded, so that a comparison ends."""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Callable
from typing import Any

from jupyter_jitmagic.diagnosis.proof.arguments import ARRAYS_ALONE, Input, JitCall, without_static
from jupyter_jitmagic.diagnosis.proof.bounding import (
    BOUNDED,
    ENDLESS,
    bounded_loops,
    bounded_while_loop,
    is_unended,
    stopped_while_loop,
)
from jupyter_jitmagic.diagnosis.proof.compiling import compiled_beside, soon
from jupyter_jitmagic.diagnosis.proof.differing import DiffersInSingle
from jupyter_jitmagic.diagnosis.proof.verify import computed
from jupyter_jitmagic.diagnosis.rewrites.building import jitted, made_for
from jupyter_jitmagic.diagnosis.rewrites.drafts import Traced
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun, time_left
from jupyter_jitmagic.source.units import Unit

COMPILING_S = 1e-3  # an equation, at most: XLA cannot be stopped while it compiles
Run = Callable[[Input], Any]


def compiling(call: JitCall, traced: Traced) -> Callable[[], Run]:
    """Begins to compile a rewrite; gives what waits for that, and gives what runs it on inputs like the call's."""

    def when_it_comes() -> Run:
        return bounded_and_jitted(call, traced)

    if ARRAYS_ALONE in call.static:
        return when_it_comes
    function = _bounded(call, traced)
    program = traced.program
    if function is not traced.function:
        try:
            program = rerun(lambda: jitted(function, call.static).trace(*call.args, **call.kwargs))
        except (Exception, OutOfTime, Effect):
            return when_it_comes  # running it says how it fails
    made = compiled_beside(program)

    def ready() -> Run:
        try:
            compiled = made()
        except Exception:
            return when_it_comes()  # running it says how it fails
        return lambda given: computed(compiled, Input(*without_static(call.fun, given, call.static), given.kind))

    return ready


def bounded_and_jitted(call: JitCall, traced: Traced) -> Run:
    """What runs a rewrite on inputs of any kind, each compiled when it comes."""
    return functools.partial(computed, jitted(_bounded(call, traced), call.static, soon()))


def may_be_compiled(traced: Traced) -> bool:
    """Whether there is time for it."""
    return traced.equations * COMPILING_S < time_left()


def refuse_endless(call: JitCall, traced: Traced, run: Callable[[], Run]) -> None:
    """
    Raises:
        DiffersInSingle: a loop of a rewrite was stopped on the call itself: without that mark, its results are others.
    """
    given = Input(call.args, call.kwargs, "call")
    try:
        endless = bool(traced.draft.loops) and is_unended(run()(given))
    except (Exception, Effect):
        return  # whoever compares it says how it fails
    if endless:
        function = _bounded(call, traced, stopped_while_loop)
        if not is_unended(computed(jitted(function, call.static, soon()), given)):
            raise DiffersInSingle(ENDLESS)


def _bounded(call: JitCall, traced: Traced, loop: Callable[..., Any] = bounded_while_loop) -> Callable[..., Any]:
    texts = {unit: bounded_loops(text) for unit, text in traced.draft.texts.items()}
    if texts == traced.draft.texts:
        return traced.function

    def code(unit: Unit, made: str | ast.Module, _: str) -> types.CodeType:
        return unit.compiled(made, "<jitmagic bounded>")

    return made_for(call, texts, code, {BOUNDED: loop})
