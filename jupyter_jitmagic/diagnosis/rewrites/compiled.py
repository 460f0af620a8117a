"""A rewrite compiled, to be compared with plain Python; its while loops are bounded, so that a comparison ends."""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jupyter_jitmagic.diagnosis.proof.arguments import ARRAYS_ALONE, Input, without_static
from jupyter_jitmagic.diagnosis.proof.bounding import bounded_loops, bounded_while_loop
from jupyter_jitmagic.diagnosis.proof.compiling import compiled_beside, soon
from jupyter_jitmagic.diagnosis.proof.verify import computed
from jupyter_jitmagic.diagnosis.rewrites.building import jitted, made_of
from jupyter_jitmagic.diagnosis.rewrites.drafts import Traced
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.source.units import Unit

Run = Callable[[Input], Any]


def compiling(
    fun: Callable[..., Any], traced: Traced, args: tuple[Any, ...], kwargs: Mapping[str, Any], static: Sequence[str | int]
) -> Callable[[], Run]:
    """Begins to compile a rewrite of `fun`; gives what waits for that, and gives what runs it on inputs like the call's."""

    def when_it_comes() -> Run:
        return bounded_and_jitted(fun, traced, static)

    if ARRAYS_ALONE in static:
        return when_it_comes
    function = _bounded(fun, traced, static)
    program = traced.program
    if function is not traced.function:
        try:
            program = rerun(lambda: jitted(function, static).trace(*args, **kwargs))
        except (Exception, OutOfTime, Effect):
            return when_it_comes  # running it says how it fails
    made = compiled_beside(program.lower())

    def ready() -> Run:
        try:
            compiled = made()
        except Exception:
            return when_it_comes()  # running it says how it fails
        return lambda given: computed(compiled, Input(*without_static(fun, given, static), given.kind))

    return ready


def bounded_and_jitted(fun: Callable[..., Any], traced: Traced, static: Sequence[str | int]) -> Run:
    """What runs a rewrite of `fun` on inputs of any kind, each compiled when it comes."""
    return functools.partial(computed, jitted(_bounded(fun, traced, static), static, soon()))


def _bounded(fun: Callable[..., Any], traced: Traced, static: Sequence[str | int]) -> Callable[..., Any]:
    texts = {unit: bounded_loops(text) for unit, text in traced.draft.texts.items()}
    if texts == traced.draft.texts:
        return traced.function

    def code(unit: Unit, made: str | ast.Module, _: str) -> types.CodeType:
        return unit.compiled(made, "<jitmagic bounded>")

    return made_of(fun, texts, static, code, {"__jitmagic_while_loop__": bounded_while_loop})
