"""Numbers with units, as the field writes them: `38 ms`, `5.1 µs`, `1.2 MB`. Two or three digits that mean something."""

from __future__ import annotations

import math

from jupyter_jitmagic._wording import MISSING as MISSING
from jupyter_jitmagic._wording import digits
from jupyter_jitmagic._wording import duration as seconds


def size(value: float | None) -> str:
    """A number of bytes, in powers of 1000.

    Example:
        >>> size(1_234_567), size(12)
        ('1.2 MB', '12 B')
    """
    if value is None or math.isnan(value):
        return MISSING
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= scale * 0.9995:
            return f"{digits(value / scale)} {unit}"
    return f"{round(value)} B"


def count(value: float | None) -> str:
    """A whole number, thousands set apart by thin blanks."""
    if value is None or math.isnan(value):
        return MISSING
    return f"{round(value):,}".replace(",", "\u2009")


def times(number: int, one: str, many: str | None = None) -> str:
    """`times(1, "call")` is "1 call", `times(2, "call")` is "2 calls"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


__all__ = ["MISSING", "count", "seconds", "size", "times"]
