"""Numbers with units, as the field writes them: `38 ms`, `5.1 µs`, `1.2 MB`. Two or three digits that mean something."""

from __future__ import annotations

import math

from jupyter_jitmagic.base.wording import MISSING as MISSING
from jupyter_jitmagic.base.wording import duration as seconds
from jupyter_jitmagic.base.wording import size


def count(value: float | None) -> str:
    """A whole number, thousands set apart by thin blanks."""
    if value is None or math.isnan(value):
        return MISSING
    return f"{round(value):,}".replace(",", "\u2009")


def times(number: int, one: str, many: str | None = None) -> str:
    """`times(1, "call")` is "1 call", `times(2, "call")` is "2 calls"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


__all__ = ["MISSING", "count", "seconds", "size", "times"]
