"""A function that sets elements of JAX's arrays in place, with `x = x.at[i].set(v)` instead: plain Python runs it, so it can
be cut."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import jax

from jupyter_jitmagic.base.refused import is_refused
from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.proof.arguments import JitCall
from jupyter_jitmagic.diagnosis.rewrites.buffers import update
from jupyter_jitmagic.diagnosis.rewrites.drafted import Drafted
from jupyter_jitmagic.diagnosis.rewrites.drafts import Draft
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Step
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.purity import impurity
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.source.units import NoSource, Unit

MOST_MENDED = 12  # arrays of one function
Lines = Collection[tuple[str, int]]
"""File names and lines in them."""


def mended(call: Call, unit: Unit, refused: Lines, seconds: float) -> str | None:
    """The text of the function's statement that plain Python runs; None where there is none.

    Args:
        unit: the statement.
        refused: the lines at which JAX's arrays are set in place.
        seconds: time for it.
    """
    why_not, units = impurity(call.fun, call.args, call.kwargs, refused=refused)
    if why_not:
        return None
    drafted = Drafted(JitCall(call.fun, call.args, dict(call.kwargs), ()), lambda: units)
    draft, time = Draft(), Deadline(seconds)
    for _ in range(MOST_MENDED):
        made = drafted.build(draft)
        try:
            result = rerun(functools.partial(_run, made, call), max(time.left(), 0.1))
        except (OutOfTime, Effect):
            return None
        except Exception as error:
            found = _step(drafted, draft, error)
            if found is None or time.over():
                return None
            draft = replace(draft, texts={**draft.texts, found[0]: found[1].text})
            continue
        if result is None and impurity(call.fun, call.args, call.kwargs)[0]:
            return None  # all that it did was to change what it was given, which it does no longer
        texts = {each.first_line: text for each, text in draft.texts.items() if each.filename == unit.filename}
        return texts.get(unit.first_line) if len(draft.texts) == 1 else None
    return None


def _run(made: Callable[..., Any], call: Call) -> Any:
    return jax.block_until_ready(made(*fresh(call.args), **fresh(call.kwargs)))


def _step(drafted: Drafted, draft: Draft, error: Exception) -> tuple[Unit, Step] | None:
    """The edit that does what plain Python refused, where it is an element of an array of JAX's that is set."""
    if not is_refused(error):
        return None
    try:
        for spot in drafted.spots(error, draft):
            for step in update(spot):
                return spot.unit, step
    except (NoSource, Obstacle):
        pass
    return None
