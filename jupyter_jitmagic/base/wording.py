"""Names, durations and sizes in words, the same everywhere: warnings, errors, tables, lines below a cell.

`labextension/src/format.ts` writes them alike for the panel: `tests/golden/amounts.json` holds the two to each other.
"""

from __future__ import annotations

import math

MISSING = "–"


def duration(value: float | None) -> str:
    """A duration.

    Example:
        >>> duration(0.0381), duration(5.1e-6), duration(75), duration(None)
        ('38 ms', '5.1 µs', '1 min 15 s', '–')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if value <= 0:
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
    if value is None or not math.isfinite(value):
        return MISSING
    for scale, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= scale * 0.9995:
            return f"{_digits(value / scale)} {unit}"
    return f"{round(value)} B"


def percent(part: float | None) -> str:
    """A part of a whole: nearly all is not called all, and hardly any is not called none.

    Example:
        >>> percent(0.427), percent(200 / 201), percent(0.001), percent(None)
        ('43 %', '>99 %', '<1 %', '–')
    """
    if part is None or not math.isfinite(part):
        return MISSING
    whole = math.floor(part * 100 + 0.5)
    if part < 1 and whole >= 100:
        return ">99 %"
    return "<1 %" if part > 0 and whole <= 0 else f"{whole} %"


def _digits(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def short_name(name: str) -> str:
    """A qualified name without the functions around it: "step" for "main.<locals>.step"."""
    return name.rpartition("<locals>.")[2]


def asked_once(what: str, line: int) -> str:
    """What jit makes of "host randomness" or "the time", which line `line` asks for."""
    if what == "the time":
        return (
            f"line {line} reads the time: under jit that happens once, while it is traced. Measure around the call, after "
            "jax.block_until_ready."
        )
    return (
        f"line {line} draws random numbers of the host: under jit that happens once, while it is traced, and later calls get "
        "the same ones. Draw with jax.random, and a key among the arguments."
    )
