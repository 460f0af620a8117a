"""What the panel may ask for: an entry's programs and figures, its last calls, to clear a cache. Each answers one plain dict or
raises `JitMagicError` with one line. JAX is imported with the first question."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.records.log import OUTCOMES, log

TEXT_LIMIT = 5_000_000
"""A longer program is cut; the answer says how long it is."""
CALLS_SHOWN = 300
"""So many of an entry's last calls are told."""

Query = Callable[[Mapping[str, object]], dict[str, object]]


def detail(args: Mapping[str, object]) -> dict[str, object]:
    """`entry` and `what` ("jaxpr", "stablehlo", "hlo", "memory", "cost") to `text` and `length`, or to `values`."""
    from jupyter_jitmagic.recording.api.jitting import entry_detail

    found = entry_detail(number_in(args, "entry"), cast(Any, str(args.get("what"))))
    if isinstance(found, str):
        return {"text": found[:TEXT_LIMIT], "length": len(found)}
    return {"values": {name: value for name, value in found.items() if math.isfinite(value)}}


def calls(args: Mapping[str, object]) -> dict[str, object]:
    """`entry` to its last calls, oldest first: `outcome`, `dispatch_s` and `execute_s` (null where it was not measured)."""
    entry = number_in(args, "entry")
    log.fold()
    columns = log.calls()
    chosen = (columns["entry"] == entry).nonzero()[0]
    last = chosen[-CALLS_SHOWN:]
    return {
        "count": len(chosen),
        "outcome": [OUTCOMES[code] for code in columns["outcome"][last].tolist()],
        "dispatch_s": [_finite(value) for value in columns["dispatch_s"][last].tolist()],
        "execute_s": [_finite(value) for value in columns["execute_s"][last].tolist()],
    }


STRETCHES = 2000
"""Into so many stretches a timeline is divided at most."""


def timeline(args: Mapping[str, object]) -> dict[str, object]:
    """`from_s` and `to_s` (null: all that there is) and `stretches` to what each function did in each of them, never the calls
    themselves. A stretch in which nothing was is not told: `at` names those that are."""
    from jupyter_jitmagic.records.spans import PHASES
    from jupyter_jitmagic.records.spans import timeline as made

    wanted = max(1, min(STRETCHES, number_in(args, "stretches")))
    found = made(log, _moment(args.get("from_s")), _moment(args.get("to_s")), wanted)
    lanes = []
    for lane in found.lanes:
        columns: dict[str, Any] = {**lane.phases, "hits": lane.hits, "misses": lane.misses}
        at = [place for place in range(wanted) if any(column[place] for column in columns.values())]
        told = {name: [column[place] for place in at] for name, column in columns.items()}
        lanes.append({"function": lane.function, "name": lane.name, "at": at, **told})
    return {
        "from_s": found.from_s,
        "to_s": found.to_s,
        "whole": list(found.whole),
        "stretches": wanted,
        "phases": list(PHASES),
        "lanes": lanes,
        "cells": [[cell.number, cell.started_s, cell.ended_s] for cell in found.cells],
    }


def _moment(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def compare(args: Mapping[str, object]) -> dict[str, object]:
    """`entry` and `other` to what tells them apart (`changed`: what, now, before, cause) and what is equal (`same`)."""
    from jupyter_jitmagic.recording.api.jitting import entry_difference

    causes, same = entry_difference(number_in(args, "entry"), number_in(args, "other"))
    return {
        "changed": [
            {"what": cause.argument, "now": cause.now, "before": cause.before, "cause": cause.cause} for cause in causes
        ],
        "same": [{"what": name, "now": text} for name, text in same],
    }


def clear(args: Mapping[str, object]) -> dict[str, object]:
    """Empty the cache of `function`, or of every living one if it is 0; how many `entries` that ended."""
    from jupyter_jitmagic.recording.calls import functions

    function = number_in(args, "function")
    ended = 0
    for each in [function] if function else list(log.functions):
        state = functions.state_of(each)
        if state is not None:
            ended += sum(entry.alive for entry in log.entries_of(each))
            state.facts.jitted.clear_cache()
            state.cleared()
        elif function:
            raise OptionError("that function is gone, and its cache with it")
    return {"entries": ended}


def pause(args: Mapping[str, object]) -> dict[str, object]:
    """Record nothing from now on, or (`on` false) record again; since when it is so, null while calls are recorded."""

    from jupyter_jitmagic.recording.recorder import recorder

    recorder.pause(args.get("on") is True)
    return {"paused_s": log.paused_s}


def cell(args: Mapping[str, object]) -> dict[str, object]:
    """`number` to the front end's own id (`cell_id`) of the cell that ran under it; empty where that is not known. A notebook
    may show that number beside a cell of an earlier kernel, too."""
    number = number_in(args, "number")
    found = next((each.id for each in reversed(tuple(log.cells)) if each.number == number), "")
    return {"cell_id": found}


def here(args: Mapping[str, object]) -> dict[str, object]:
    """Nothing but that the kernel is there."""
    return {}


QUERIES: dict[str, Query] = {
    "here": here,
    "cell": cell,
    "detail": detail,
    "calls": calls,
    "compare": compare,
    "timeline": timeline,
    "clear": clear,
    "pause": pause,
}


def number_in(args: Mapping[str, object], name: str) -> int:
    """A number that a question has to name.

    Raises:
        OptionError: it names none.
    """
    value = args.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise OptionError(f"the question names no {name}, which is a whole number")
    return value


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
