"""Globals in which a trace that failed left tracers, where the function writes there before the line that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from jupyter_jitmagic.diagnosis.call.calls import Call, reachable_functions
from jupyter_jitmagic.diagnosis.call.stand_ins import with_values
from jupyter_jitmagic.usercode.held import names_in

_CONTAINERS = (list, tuple, dict)


@contextmanager
def before_the_failed_trace(call: Call) -> Iterator[str]:
    """While this lasts such globals hold numbers; with a note for the answer, "" where there are none.

    The tracers are of no use to anyone, and are back in their places afterwards.
    """
    found: dict[tuple[int, str], tuple[dict[str, Any], Any]] = {}
    for function in reachable_functions(call):
        names = function.__globals__
        for name in names_in(function):
            if name in names and _is_left(names[name]):
                found[id(names), name] = names, names[name]
    try:
        for (_, name), (names, value) in found.items():
            ((names[name],), _, _) = with_values((value,), {})
        yield _note(sorted({name for _, name in found}))
    finally:
        for (_, name), (names, value) in found.items():
            names[name] = value


def _is_left(value: Any) -> bool:
    held = jax.tree_util.tree_leaves(value) if type(value) in _CONTAINERS else [value]
    return any(isinstance(each, jax.core.Tracer) for each in held)


def _note(names: list[str]) -> str:
    if not names:
        return ""
    what, verb = ("The global", "holds") if len(names) == 1 else ("The globals", "hold")
    it = "it" if len(names) == 1 else "them"
    return (
        f"{what} {' and '.join(names)} {verb} tracers of the failed trace: numbers of their shapes stand for them here. "
        f"Make {it} anew."
    )
