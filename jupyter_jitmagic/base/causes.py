"""Why a call missed: the causes, and each in words, the same everywhere.

`causeWord` and `causeSentence` in `labextension/src/views/words.ts` say the same to the panel's user, in their language:
`tests/golden/causes.json` holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from jupyter_jitmagic.base.wording import MISSING

CauseName = Literal[
    "first_call", "shape", "dtype", "weak_type", "static_value", "static_identity", "pytree_structure", "calling_convention",
    "new_function", "device", "sharding", "config", "cleared", "unknown",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a miss. `before` and `now` are short forms; both empty where the cause has none (first_call)."""

    cause: CauseName
    argument: str = ""
    before: str = ""
    now: str = ""


def word(name: str) -> str:
    """A cause's name as it is read: "static value"."""
    return name.replace("_", " ")


def sentences(causes: Sequence[Cause]) -> list[str]:
    """Each cause in JAX's phrase, as "x is f32[5] now and was f32[4] before"."""
    weak = {cause.argument for cause in causes if cause.cause == "weak_type"}  # says shape and dtype, too
    causes = [cause for cause in causes if cause.argument not in weak or cause.cause not in ("shape", "dtype")]
    return list(dict.fromkeys(_SENTENCES.get(cause.cause, _changed)(cause) for cause in causes))


def sentence(causes: Sequence[Cause]) -> str:
    """The causes in one line.

    As "x is f32[5] now and was f32[4] before; n is 8 now and was 5 before (static)".
    """
    parts = sentences(causes)
    more = len(parts) - _MOST_PARTS
    return "; ".join(parts[:_MOST_PARTS]) + (f"; and {more} more" if more > 0 else "")


_MOST_PARTS = 4


def _changed(cause: Cause) -> str:
    return _now_and_before(cause.argument, cause.now, cause.before)


def _now_and_before(argument: str, now: str, before: str) -> str:
    return f"{argument} is {now or MISSING} now and was {before or MISSING} before"


def _convention(cause: Cause) -> str:
    words = {"default": "left to its default", "keyword": "passed by keyword", "positional": "passed by position"}
    return _now_and_before(cause.argument, words.get(cause.now, cause.now), words.get(cause.before, cause.before))


def _identity(cause: Cause) -> str:
    return f"{cause.argument} is another {cause.before} now: it looks the same but hashes by identity (static)"


def _device(cause: Cause) -> str:
    now, before = (side if side == "uncommitted" else f"on {side}" for side in (cause.now, cause.before))
    return _now_and_before(cause.argument, now, before)


def _weak_type(cause: Cause) -> str:
    """As "lr is f32[] now and was weak f32[] before (a Python number is weak)"."""
    now, before = (("weak " if "weak_type=True" in side else "") + side.partition("{")[0] for side in (cause.now, cause.before))
    return f"{_now_and_before(cause.argument, now, before)} (a Python number is weak)"


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
