"""Numbers with units, as the field writes them: `38 ms`, `5.1 µs`, `1.2 MB`. Two or three digits that mean something."""

from __future__ import annotations

import math

MISSING = "–"


def seconds(value: float | None) -> str:
    """A duration.

    Example:
        >>> seconds(0.0381), seconds(5.1e-6), seconds(75), seconds(None)
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
            return f"{_digits(value / scale)} {unit}"
    raise AssertionError(value)


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
            return f"{_digits(value / scale)} {unit}"
    return f"{round(value)} B"


def count(value: float | None) -> str:
    """A whole number, thousands set apart by thin blanks."""
    if value is None or math.isnan(value):
        return MISSING
    return f"{round(value):,}".replace(",", "\u2009")


def times(number: int, one: str, many: str | None = None) -> str:
    """`times(1, "call")` is "1 call", `times(2, "call")` is "2 calls"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def _digits(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
