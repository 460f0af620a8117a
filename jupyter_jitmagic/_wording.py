"""Causes and durations in words, the same everywhere: warnings, errors, tables, lines below a cell. Imports only records."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from jupyter_jitmagic._records import Cause


def sentence(causes: Sequence[Cause]) -> str:
    """The causes in one line, in JAX's phrase.

    As "x is f32[5] now and was f32[4] before; n is 8 now and was 5 before (static)".
    """
    weak = {cause.argument for cause in causes if cause.cause == "weak_type"}  # told with shape and dtype
    causes = [cause for cause in causes if cause.argument not in weak or cause.cause not in ("shape", "dtype")]
    told = list(dict.fromkeys(_SENTENCES.get(cause.cause, _changed)(cause) for cause in causes))
    more = len(told) - _TOLD
    return "; ".join(told[:_TOLD]) + (f"; and {more} more" if more > 0 else "")


_TOLD = 4


def short_name(name: str) -> str:
    """A qualified name without the functions around it: "step" for "main.<locals>.step"."""
    return name.rpartition("<locals>.")[2]


def _changed(cause: Cause) -> str:
    return f"{cause.argument} is {cause.now} now and was {cause.before} before"


def _convention(cause: Cause) -> str:
    words = {"default": "left to its default", "keyword": "passed by keyword", "positional": "passed by position"}
    return f"{cause.argument} is {words[cause.now]} now and was {words[cause.before]} before"


def _identity(cause: Cause) -> str:
    return f"{cause.argument} is another {cause.before} now: it looks the same but hashes by identity (static)"


def _device(cause: Cause) -> str:
    where = {"uncommitted": "uncommitted"}
    now, before = (where.get(side, f"on {side}") for side in (cause.now, cause.before))
    return f"{cause.argument} is {now} now and was {before} before"


def _weak_type(cause: Cause) -> str:
    """As "lr is f32[] now and was weak f32[] before (a Python number is weak)"."""
    now, before = (("weak " if "weak_type=True" in side else "") + side.partition("{")[0] for side in (cause.now, cause.before))
    return f"{cause.argument} is {now} now and was {before} before (a Python number is weak)"


_SENTENCES: dict[str, Callable[[Cause], str]] = {
    "first_call": lambda cause: f"first call {cause.now}".strip(),
    "static_value": lambda cause: f"{_changed(cause)} (static)",
    "static_identity": _identity,
    "calling_convention": _convention,
    "weak_type": _weak_type,
    "new_function": lambda cause: "the function itself was created again" + (f" (not kept: {cause.now})" if cause.now else ""),
    "device": _device,
    "cleared": lambda cause: "its cache was cleared",
    "unknown": lambda cause: "why is unknown",
}


MISSING = "–"


def duration(value: float | None) -> str:
    """A duration.

    Example:
        >>> duration(0.0381), duration(5.1e-6), duration(75), duration(None)
        ('38 ms', '5.1 µs', '1 min 15 s', '–')
    """
    if value is None or math.isnan(value):
        return MISSING
    if value == 0:
        return "0 s"
    if value >= 59.95:
        minutes, rest = divmod(round(value), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")):
        if value >= scale * 0.9995 or unit == "ns":
            return f"{digits(value / scale)} {unit}"
    raise AssertionError(value)


def digits(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
