"""An entry's programs, sizes and costs, as JAX holds them: asked for under the configuration that the entry was made under.

A look traces, lowers and compiles nothing: whatever JAX would have to make anew is another program than the one that ran, and
the user's next call would find it and be a hit. So JAX is stopped before it begins.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from threading import get_ident
from typing import Any, Literal, NamedTuple

import jax

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.base.own_work import own_work
from jupyter_jitmagic.recording.calls import functions
from jupyter_jitmagic.recording.calls.examples import as_it_was
from jupyter_jitmagic.records.log import EntryRecord, log

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
    with held(entry) as program:
        if what == "jaxpr":
            return _COLOURS.sub("", str(program.traced.jaxpr))  # in a notebook JAX writes it with a terminal's colours
        lowered = program.lowered()
        if what == "stablehlo":
            return str(lowered.as_text())
        compiled = lowered.compile()
        if what == "hlo":
            return str(compiled.as_text())
        if what == "cost":
            return _cost(compiled)
        return _note_sizes(program.record, compiled)


class Held(NamedTuple):
    """An entry's program as JAX holds it: traced, and lowered when asked."""

    record: EntryRecord
    traced: Any
    lowered: Callable[[], Any]


@contextlib.contextmanager
def held(entry: int) -> Iterator[Held]:
    """In the block the program of an entry is there, under the entry's configuration; nothing is traced or compiled for it.

    Raises:
        OptionError: one line: there is no such entry, or JAX holds it no more.
    """
    record = log.known_entry(entry)
    if record is None:
        raise OptionError(f"there is no entry {entry}")
    state = functions.state_of(record.function)
    example = state.entries.examples.get(entry) if state is not None else None
    if state is None or example is None:
        if record.transformation:
            raise OptionError(f"entry {entry} was made under {record.transformation}: JAX keeps no program of it to show")
        if record.alive and state is not None:
            raise OptionError(
                f"entry {entry} takes arguments that need real arrays: its program is not made again only to be shown"
            )
        raise OptionError(f"entry {entry} is gone")
    jitted = state.facts.jitted
    with own_work(), as_it_was(entry, example), _nothing_is_made(entry):
        traced = jitted.trace(*example.args, **example.kwargs)
        if [(info.shape, info.dtype) for info in jax.tree_util.tree_leaves(traced.args_info)] != example.types:
            raise OptionError(f"entry {entry} takes arguments that cannot be described again: its program is not shown")
        yield Held(record, traced, lambda: jitted.lower(*example.args, **example.kwargs))


class _NotHeld(Exception):
    """JAX is about to make what it does not hold."""


_MADE = (internals.TRACE_EVENT, internals.LOWER_EVENT, internals.COMPILE_EVENT)


@contextlib.contextmanager
def _nothing_is_made(entry: int) -> Iterator[None]:
    """In the block this thread traces, lowers and compiles nothing: JAX announces each before it begins."""
    thread = get_ident()

    def refuse(event: str, value: float, **kwargs: Any) -> None:
        if event in _MADE and get_ident() == thread:
            raise _NotHeld

    jax.monitoring.register_scalar_listener(refuse)
    try:
        yield
    except _NotHeld:
        raise OptionError(f"JAX no longer holds the program of entry {entry}: it is not made again only to be shown") from None
    finally:
        with contextlib.suppress(AssertionError, ValueError):  # someone cleared every listener meanwhile
            jax.monitoring.unregister_scalar_listener(refuse)


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
        state = functions.state_of(record.function)
        if record.temp_bytes is not None or not record.alive or state is None or not state.entries.still_holds(record.id):
            continue
        if record.id in _without_sizes:
            continue
        try:
            entry_detail(record.id, "memory")
        except Exception:  # a program that JAX does not find from shapes alone has no sizes to show
            _without_sizes.add(record.id)


_without_sizes: set[int] = set()
"""Entries whose sizes could not be had: that does not change."""
log.forgetters.append(_without_sizes.clear)


log.fill_sizes = fill_sizes
