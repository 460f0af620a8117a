"""Static arguments that a rewrite does not need: an option that a loop of Python's counted by is data to a loop of lax."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from jupyter_jitmagic.base.jaxprs import equations_in
from jupyter_jitmagic.diagnosis.proof.arguments import Input, JitCall
from jupyter_jitmagic.diagnosis.proof.differing import CannotRun, differs
from jupyter_jitmagic.diagnosis.proof.verify import by_numpy
from jupyter_jitmagic.diagnosis.rewrites.building import jitted
from jupyter_jitmagic.diagnosis.rewrites.drafts import Traced
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun


def needed(call: JitCall, traced: Traced, others: Sequence[tuple[Input, Any]], seconds: float) -> tuple[str | int, ...]:
    """The static arguments without those integers that the rewrite takes as data as well, given or left out.

    One is spared only where it is given, traced, with each other value that was tried, and plain Python's result comes out;
    and not where a loop would have no reverse mode for it.

    Args:
        call: the user's, with the static arguments beside the rewrite.
        traced: the rewrite.
        others: calls with other static values, and plain Python's results.
        seconds: for each comparison.
    """
    try:
        signature = inspect.signature(call.fun)
    except (TypeError, ValueError):
        return call.static
    held = call.static
    for name in call.static:
        own = _value(signature, Input(call.args, call.kwargs, ""), name)
        if type(own) is not int:
            continue
        given = [(each, want) for each, want in others if _value(signature, each, name) != own]
        if not given:
            continue
        fewer = tuple(each for each in held if each != name)
        if all(_gives(replace(call, static=fewer), traced, each, want, seconds) for each, want in given):
            held = fewer
    return held


def _value(signature: inspect.Signature, given: Input, name: str | int) -> Any:
    """What a static argument is in a call, its default where that leaves it out; None for one that no parameter is."""
    if isinstance(name, int):
        return given.args[name] if name < len(given.args) else None
    bound = signature.bind(*given.args, **given.kwargs)
    bound.apply_defaults()
    return bound.arguments.get(name)


def _gives(call: JitCall, traced: Traced, given: Input, want: Any, seconds: float) -> bool:
    try:
        program = rerun(lambda: jitted(traced.function, call.static).trace(*given.args, **given.kwargs))
        if _open_loops(program) > _open_loops(traced.program):
            return False
        return not differs(by_numpy(call.fun, program, call.static, seconds)(given), want)
    except (Exception, CannotRun, OutOfTime, Effect):
        return False  # it stays static


def _open_loops(program: Any) -> int:
    return sum(each.primitive.name == "while" for each in equations_in(program.jaxpr))
