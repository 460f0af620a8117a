"""An entry's programs, sizes and costs, made when someone asks: after a call they compile nothing again."""

from __future__ import annotations

import re
import time
from typing import Any, Literal

from jupyter_jitmagic._errors import OptionError
from jupyter_jitmagic._own_work import own_work
from jupyter_jitmagic._records import EntryRecord, log
from jupyter_jitmagic.recording import _functions

What = Literal["jaxpr", "stablehlo", "hlo", "memory", "cost"]
WHATS: tuple[What, ...] = ("jaxpr", "stablehlo", "hlo", "memory", "cost")
_FILL_SECONDS = 1.0
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def entry_detail(entry: int, what: What) -> str | dict[str, float]:
    """One entry's program or figures.

    Args:
        entry: the entry's number.
        what: "jaxpr", "stablehlo" or "hlo" (the optimised program) as text; "memory" as bytes by name (code, temporaries,
            arguments, outputs, aliased); "cost" as XLA's estimates by name (flops, bytes accessed, …).

    Raises:
        OptionError: one line: there is no such entry, or JAX holds it no more.

    Example:
        >>> print(entry_detail(3, "jaxpr"))
        { lambda ; a:f32[4]. let b:f32[4] = sin a in (b,) }
    """
    if what not in WHATS:
        raise OptionError(f"{what!r}: choose one of {', '.join(WHATS)}")
    record = log.known_entry(entry)
    if record is None:
        raise OptionError(f"there is no entry {entry}")
    state = _functions.state_of(record.function)
    example = state.examples.get(entry) if state is not None else None
    if state is None or example is None:
        if record.transformation:
            raise OptionError(f"entry {entry} was made under {record.transformation}: JAX keeps no program of it to show")
        if record.alive and state is not None:
            raise OptionError(
                f"entry {entry} takes arguments that only arrays fit into: its program is not made again for show"
            )
        raise OptionError(f"entry {entry} is gone")
    with own_work():
        if what == "jaxpr":
            # in a notebook JAX writes it with a terminal's colours
            return _COLOURS.sub("", str(state.jitted.trace(*example.args, **example.kwargs).jaxpr))
        lowered = state.jitted.lower(*example.args, **example.kwargs)
        if what == "stablehlo":
            return str(lowered.as_text())
        compiled = lowered.compile()
        if what == "hlo":
            return str(compiled.as_text())
        if what == "cost":
            return _cost(compiled)
        return _note_sizes(record, compiled)


def _cost(compiled: Any) -> dict[str, float]:
    found = compiled.cost_analysis()
    found = found[0] if isinstance(found, list) else found
    return {name: float(value) for name, value in (found or {}).items() if "{" not in name}


def _note_sizes(record: EntryRecord, compiled: Any) -> dict[str, float]:
    stats = compiled.memory_analysis()
    found = {
        name: int(getattr(stats, f"{theirs}_size_in_bytes", 0))
        for name, theirs in {
            "executable_bytes": "generated_code",
            "temp_bytes": "temp",
            "argument_bytes": "argument",
            "output_bytes": "output",
            "alias_bytes": "alias",
        }.items()
    }
    if not found["executable_bytes"]:  # the CPU backend tells no size of its code
        found["executable_bytes"] = len(compiled.runtime_executable().serialize())
    record.executable_bytes = found["executable_bytes"]
    record.temp_bytes, record.argument_bytes, record.output_bytes = (
        found["temp_bytes"],
        found["argument_bytes"],
        found["output_bytes"],
    )
    return {name: float(value) for name, value in found.items()}


def fill_sizes() -> None:
    """Sizes of every live entry that has none yet, as far as one second goes."""
    until = time.monotonic() + _FILL_SECONDS
    for record in tuple(log.entries.values()):
        if time.monotonic() > until:
            return
        state = _functions.state_of(record.function)
        if record.temp_bytes is not None or not record.alive or state is None or not state.still_holds(record.id):
            continue
        try:
            entry_detail(record.id, "memory")
        except Exception:  # a program that cannot be lowered from shapes alone has no sizes to show
            record.temp_bytes = None


log.fill_sizes = fill_sizes
