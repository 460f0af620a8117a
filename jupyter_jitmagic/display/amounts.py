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


def estimate(value: float) -> str:
    """A large number to two digits: `estimate(2_172_000)` is "2.2 M"; "" for none."""
    if not value:
        return ""
    for factor, unit in ((1e15, " P"), (1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= factor:
            return f"{value / factor:.2g}{unit}" if value < 99.5 * factor else f"{value / factor:.0f}{unit}"
    return f"{value:.0f}"


def times(number: int, one: str, many: str | None = None) -> str:
    """`times(1, "call")` is "1 call", `times(2, "call")` is "2 calls"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


__all__ = ["MISSING", "count", "estimate", "seconds", "size", "times"]
