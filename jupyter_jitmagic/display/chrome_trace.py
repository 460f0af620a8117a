"""What was recorded as a Chrome trace: ui.perfetto.dev and chrome://tracing open it. One track for the cells, two for each
function: its calls with their phases, and its executions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from jupyter_jitmagic.base.causes import sentence
from jupyter_jitmagic.records.log import HIT, OUTCOMES, Log
from jupyter_jitmagic.records.spans import phase_intervals

MOST_HITS = 200_000
"""More hits than these are told several in one slice, which says how many."""

Event = dict[str, Any]


def write(log: Log, functions: set[int] | None, place: Callable[[str, int], str], file: TextIO) -> int:
    """Write the trace; how many events it has.

    Args:
        functions: the ids of the functions that are wanted; None for all.
        place: names a line, as "cell [7], line 3".
    """
    count = 0
    file.write('{"displayTimeUnit": "ms", "traceEvents": [\n')
    for event in _events(log, functions, place):
        file.write(("" if count == 0 else ",\n") + json.dumps(event))
        count += 1
    file.write("\n]}\n")
    return count


def _events(log: Log, functions: set[int] | None, place: Callable[[str, int], str]) -> Iterator[Event]:
    import numpy as np

    log.fold()
    calls = log.calls()
    with log.lock:
        names = {id_: record.name for id_, record in log.functions.items() if functions is None or id_ in functions}
        misses = {miss.call: miss for miss in log.misses}
        entries = dict(log.entries)
        cells = list(log.cells)
    yield {"ph": "M", "name": "process_name", "pid": 1, "args": {"name": "jupyter_jitmagic"}}
    yield _named(0, "cells")
    for cell in cells:
        if cell.ended_s is not None:
            yield _slice(0, f"[{cell.number}]", "cell", cell.started_s, cell.ended_s - cell.started_s, {})
    for place_, (id_, name) in enumerate(names.items()):
        yield _named(_track(place_), name)
        yield _named(_track(place_) + 1, f"{name} · execute")
        mine = np.flatnonzero(calls["function"] == id_)
        rows = {key: column[mine] for key, column in calls.items()}
        hits = rows["outcome"] == HIT
        several = max(1, -(-int(hits.sum()) // MOST_HITS))
        yield from _calls(rows, np.flatnonzero(~hits), _track(place_), name, misses, entries, place)
        yield from _hits(rows, np.flatnonzero(hits), _track(place_), name, several)
        yield from _phases(rows, _track(place_), several, hits)


def _calls(
    rows: dict[str, Any], chosen: Any, track: int, name: str, misses: Any, entries: Any, place: Callable[[str, int], str]
) -> Iterator[Event]:
    for row in chosen.tolist():
        outcome = OUTCOMES[rows["outcome"][row]]
        args: Event = {"outcome": outcome}
        entry = entries.get(int(rows["entry"][row]))
        if entry is not None:
            args["entry"], args["arguments"] = entry.id, entry.arguments or entry.avals
        miss = misses.get(int(rows["call"][row]))
        if miss is not None:
            filename, _, line = miss.call_site.rpartition(":")
            args["cause"] = sentence(miss.causes)
            args["called at"] = place(filename, int(line)) if filename and line.isdigit() else ""
        yield _slice(track, f"{name} ({outcome})", outcome, float(rows["started_s"][row]), float(rows["dispatch_s"][row]), args)


def _hits(rows: dict[str, Any], chosen: Any, track: int, name: str, several: int) -> Iterator[Event]:
    started, dispatch = rows["started_s"], rows["dispatch_s"]
    for first in range(0, len(chosen), several):
        together = chosen[first : first + several]
        begin, last = together[0], together[-1]
        what = name if len(together) == 1 else f"{name} ×{len(together)}"
        seconds = float(started[last] + dispatch[last] - started[begin])
        yield _slice(track, what, "hit", float(started[begin]), seconds, {"outcome": "hit", "calls": len(together)})


def _phases(rows: dict[str, Any], track: int, several: int, hits: Any) -> Iterator[Event]:
    for phase, (chosen, start, end) in phase_intervals(rows).items():
        lane = track + 1 if phase == "execute" else track
        for place, row in enumerate(chosen.tolist()):
            if phase == "execute" and several > 1 and hits[row] and place % several:
                continue  # one of several hits stands for them, as among the calls
            yield _slice(lane, phase, phase, float(start[place]), float(end[place] - start[place]), {})


def _track(place: int) -> int:
    return 1 + 2 * place


def _named(track: int, name: str) -> Event:
    return {"ph": "M", "name": "thread_name", "pid": 1, "tid": track, "args": {"name": name}}


def _slice(track: int, name: str, category: str, started_s: float, seconds: float, args: Event) -> Event:
    return {
        "ph": "X",
        "name": name,
        "cat": category,
        "ts": started_s * 1e6,
        "dur": max(0.0, seconds) * 1e6,
        "pid": 1,
        "tid": track,
        "args": args,
    }
