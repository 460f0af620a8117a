"""What was recorded as a Chrome trace: ui.perfetto.dev and chrome://tracing open it. One track for the cells, two for each
function: its calls with their phases, and its executions. Calls of several threads at once have a track more.

On one track slices may lie within one another or one behind another: what overlaps otherwise a viewer drops.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple, TextIO

from jupyter_jitmagic.base.causes import sentence
from jupyter_jitmagic.records.log import HIT, OUTCOMES, CellRecord, Log
from jupyter_jitmagic.records.spans import phase_intervals

MOST_HITS = 200_000
"""More hits than these are told several in one slice, which says how many."""

_NOISE_NS = 1000
"""Moments are known to a quarter of a microsecond: what overlaps by no more follows."""

_TWO_ESCAPES = re.compile("[\ud800-\udfff\U00010000-\U0010ffff]")
_PROCESS = _CELLS = 1
"""The track that has the process's own number is its main thread: Perfetto puts it above the others."""

Event = dict[str, Any]
Place = Callable[[str, int], str]
Nanoseconds = Callable[[float], int]


class _Slice(NamedTuple):
    """`row`: of the call among its function's, where phases may lie in it."""

    start: int
    end: int
    name: str
    category: str
    args: Event
    row: int = -1


def write(log: Log, functions: set[int] | None, place: Place, file: TextIO) -> int:
    """Write the trace; how many events it has.

    Args:
        functions: the ids of the functions that are wanted; None for all.
        place: names a line, as "cell [7], line 3".
    """
    log.fold()
    calls = log.calls()
    with log.lock:
        cells = list(log.cells)
    begins = [*calls["started_s"].tolist(), *(cell.started_s for cell in cells)]
    base = min(begins, default=0.0)  # moments from there on: Unix time in microseconds leaves a float no digit behind the point
    began = datetime.fromtimestamp(base, UTC).isoformat() if begins else ""
    count = 0
    file.write(f'{{"otherData": {{"began": "{began}"}}, "traceEvents": [\n')
    for event in _events(log, functions, place, calls, cells, lambda moment: round((moment - base) * 1e9)):
        file.write(("" if count == 0 else ",\n") + json.dumps(event))
        count += 1
    file.write("\n]}\n")
    return count


def _events(
    log: Log, functions: set[int] | None, place: Place, calls: dict[str, Any], cells: list[CellRecord], ns: Nanoseconds
) -> Iterator[Event]:
    import numpy as np

    with log.lock:
        names = {id_: record.name for id_, record in log.functions.items() if functions is None or id_ in functions}
        misses = {miss.call: miss for miss in log.misses}
        entries = dict(log.entries)
    yield {"ph": "M", "name": "process_name", "pid": _PROCESS, "args": {"name": "jupyter_jitmagic"}}
    yield _named(_CELLS, "cells")
    ran = [_Slice(ns(cell.started_s), ns(cell.ended_s), f"[{cell.number}]", "cell", {}) for cell in cells if cell.ended_s]
    yield from (_event(_CELLS, each) for each in _behind_each_other(ran))
    tracks = itertools.count(_CELLS + 1)
    for id_, name in names.items():
        mine = np.flatnonzero(calls["function"] == id_)
        rows = {key: column[mine] for key, column in calls.items()}
        hits = rows["outcome"] == HIT
        several = max(1, -(-int(hits.sum()) // MOST_HITS))
        first, executions = next(tracks), next(tracks)
        yield _named(first, name)
        yield _named(executions, f"{name} · execute")
        slices = [
            *_calls(rows, np.flatnonzero(~hits), name, misses, entries, place, ns),
            *_hits(rows, np.flatnonzero(hits), name, several, ns),
        ]
        own, placed, nested = [first], {}, _Nested()
        for each in sorted(slices, key=lambda each: (each.start, -each.end)):
            lane, laid = nested.place(each)
            if lane == len(own):
                own.append(next(tracks))
                yield _named(own[-1], f"{name} ({len(own)})")
            yield _event(own[lane], laid)
            placed[each.row] = own[lane], laid
        executed: list[_Slice] = []
        for phase, row, start, end in _phases(rows, several, hits):
            if phase == "execute":
                executed.append(_Slice(ns(start), ns(end), phase, phase, {}))
            elif row in placed:
                track, call = placed[row]
                within = _Slice(max(ns(start), call.start), min(ns(end), call.end), phase, phase, {})
                yield _event(track, within)
                placed[row] = track, call._replace(start=within.end)  # the next phase follows this one
        yield from (_event(executions, each) for each in _behind_each_other(executed))


class _Nested:
    """Lanes on which slices, given by their start, lie within one another or behind one another."""

    def __init__(self) -> None:
        self._open: list[list[int]] = []
        """By lane the ends of what one more slice would lie in, and, first, of what lies before it."""

    def place(self, new: _Slice) -> tuple[int, _Slice]:
        """The first lane that has room for it, and the slice without the overlap that is mere noise."""
        for lane, ends in enumerate(self._open):
            while len(ends) > 1 and ends[-1] <= new.start + _NOISE_NS:
                ends[0] = max(ends[0], ends.pop())
            start = max(new.start, ends[0])
            if len(ends) == 1 or new.end <= ends[-1] + _NOISE_NS:
                end = new.end if len(ends) == 1 else min(new.end, ends[-1])
                ends.append(max(start, end))
                return lane, new._replace(start=start, end=ends[-1])
        self._open.append([new.start, new.end])
        return len(self._open) - 1, new


def _behind_each_other(slices: Iterable[_Slice]) -> Iterator[_Slice]:
    """Each begins where the one before it ended, if it does not later: an execution that waited for another began after it."""
    free = 0
    for each in sorted(slices, key=lambda each: each.start):
        start = max(each.start, free)
        free = start + each.end - each.start
        yield each._replace(start=start, end=free)


def _calls(
    rows: dict[str, Any], chosen: Any, name: str, misses: Any, entries: Any, place: Place, ns: Nanoseconds
) -> Iterator[_Slice]:
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
        start, seconds = float(rows["started_s"][row]), max(0.0, float(rows["dispatch_s"][row]))
        yield _Slice(ns(start), ns(start + seconds), f"{name} ({outcome})", outcome, args, row)


def _hits(rows: dict[str, Any], chosen: Any, name: str, several: int, ns: Nanoseconds) -> Iterator[_Slice]:
    started, dispatch = rows["started_s"], rows["dispatch_s"]
    for first in range(0, len(chosen), several):
        together = chosen[first : first + several]
        begin, last = float(started[together[0]]), together[-1]
        what = name if len(together) == 1 else f"{name} ×{len(together)}"
        end = max(begin, float(started[last] + dispatch[last]))
        yield _Slice(ns(begin), ns(end), what, "hit", {"outcome": "hit", "calls": len(together)})


def _phases(rows: dict[str, Any], several: int, hits: Any) -> Iterator[tuple[str, int, float, float]]:
    """Of each phase of each call: its name, the call's row, begin and end."""
    for phase, (chosen, start, end) in phase_intervals(rows).items():
        for place, row in enumerate(chosen.tolist()):
            if phase == "execute" and several > 1 and hits[row] and place % several:
                continue  # one of several hits stands for them, as among the calls
            yield phase, row, float(start[place]), float(end[place])


def _named(track: int, name: str) -> Event:
    return {"ph": "M", "name": "thread_name", "pid": _PROCESS, "tid": track, "args": {"name": _readable(name)}}


def _event(track: int, of: _Slice) -> Event:
    return {
        "ph": "X",
        "name": _readable(of.name),
        "cat": of.category,
        "ts": _microseconds(of.start),
        "dur": _microseconds(max(0, of.end - of.start)),
        "pid": _PROCESS,
        "tid": track,
        "args": {key: _readable(value) if isinstance(value, str) else value for key, value in of.args.items()},
    }


def _microseconds(nanoseconds: int) -> float:
    """Perfetto adds digits up, takes the sum a thousand times and cuts it: a nanosecond that gets lost there makes slices
    overlap, and what overlaps is dropped. So there is a quarter of one more behind the point."""
    return nanoseconds // 1000 if nanoseconds % 1000 == 0 else (nanoseconds + 0.25) / 1e3


def _readable(text: str) -> str:
    """Without what JSON writes as two escapes: Perfetto refuses the whole file for one of them."""
    return _TWO_ESCAPES.sub("\ufffd", text)
