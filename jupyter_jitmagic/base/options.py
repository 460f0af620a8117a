"""Every default and threshold, in one plain object. Light to import; in a notebook ``%config JitMagic`` mirrors it."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from jupyter_jitmagic.base.errors import OptionError

Timing = Literal["observe", "block", "dispatch"]
TIMING: tuple[Timing, ...] = get_args(Timing)
Differ = Literal["warn", "raise", "off"]
OnMiss = Literal["allow", "warn", "raise", "eager"]
ON_MISS: tuple[OnMiss, ...] = get_args(OnMiss)


@dataclass(slots=True)
class Options:
    """What may be set, with its default. A value that makes no sense is refused when it is set.

    Example:
        >>> import jupyter_jitmagic as jm
        >>> jm.options.timing = "block"
    """

    timing: Timing = "observe"
    """How executions are timed: "observe" never blocks the caller, "block" waits for each result, "dispatch" times none."""

    keep_calls: int = 2_000_000
    """Rows kept in the calls table; older ones are folded into the totals (about 30 bytes a row)."""

    keep_misses: int = 100_000
    """Misses kept with their causes; older ones stay in the totals."""

    keep_entries: int = 20_000
    """Cache entries kept; beyond, the oldest dead ones go, and of a function's live ones those compiled longest ago count as
    dead. Their calls stay, as their function's, and so do all totals."""

    watch_every_s: float = 0.03
    """Shortest time between two watched executions of a function whose calls are short or run ahead of the device."""

    tell_after_s: float = 0.5
    """A recompile is told below the cell once recompiles for the same cause have cost this much; 0 tells each cause at once."""

    check_limit_s: float = 2.0
    """How long the plain function may run for ``check=True``."""

    advice_limit_s: float = 10.0
    """How long a diagnosis may work (rewrites: 2 s of it); what is not known by then is called unknown."""

    differ: Differ = "warn"
    """What happens when processes of one program are about to run different programs: "warn" tells it on stderr, "raise" raises
    `ProcessesDifferError` at the next compile, too, "off" does not look."""

    off: bool = False
    """True makes ``jm.jit`` plain ``jax.jit`` from now on; the environment's ``JITMAGIC_OFF=1`` sets it."""

    def __post_init__(self) -> None:
        self.off = self.off or os.environ.get("JITMAGIC_OFF", "") not in ("", "0")

    def __setattr__(self, name: str, value: Any) -> None:
        problem = wrong(name, value)
        if problem:
            raise OptionError(problem)
        object.__setattr__(self, name, value)

    def reset(self) -> None:
        """Put every option back to its default."""
        for field in fields(self):
            object.__setattr__(self, field.name, field.default)
        self.__post_init__()


def wrong(name: str, value: Any) -> str:
    """What is wrong with this value for this option, as one line; "" if nothing is."""
    check = _CHECKS.get(name)
    problem = check(value) if check else None
    return f"{name}={value!r}: {problem}" if problem else ""


def _timing(value: Any) -> str | None:
    return None if value in TIMING else f"choose one of {', '.join(TIMING)}"


def _differ(value: Any) -> str | None:
    return None if value in get_args(Differ) else f"choose one of {', '.join(get_args(Differ))}"


def _count(value: Any) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) and value > 0 else "give a whole number above 0"


def _seconds(value: Any) -> str | None:
    return None if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else "give seconds, 0 or more"


def _switch(value: Any) -> str | None:
    return None if isinstance(value, bool) else "give True or False"


_CHECKS = {
    "timing": _timing,
    "keep_calls": _count,
    "keep_misses": _count,
    "keep_entries": _count,
    "watch_every_s": _seconds,
    "tell_after_s": _seconds,
    "check_limit_s": _seconds,
    "advice_limit_s": _seconds,
    "differ": _differ,
    "off": _switch,
}

options = Options()
