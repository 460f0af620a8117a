"""When the calls of each function traced, lowered, compiled and executed: for a timeline, and for files that others draw."""

from __future__ import annotations

from typing import Any, NamedTuple

from jupyter_jitmagic.records.log import DISK_HIT, HIT, MISS, CellRecord, Log

PHASES = ("trace", "lower", "compile", "execute")
LANES = 40
"""So many functions have a lane of their own, those that took most time."""


class Lane(NamedTuple):
    """One function between two moments, in equal stretches: seconds of each phase, hits and misses in each.

    Attributes:
        function: its id; 0 for all that have no lane of their own.
        name: as tables show it.
        phases: by phase the seconds in each stretch. Calls of several threads, and executions behind one another, may come to
            more than the stretch is long.
        hits, misses: how many began in each stretch.
    """

    function: int
    name: str
    phases: dict[str, list[float]]
    hits: list[int]
    misses: list[int]


class Timeline(NamedTuple):
    """What a timeline shows: `lanes` between `from_s` and `to_s`, cells that ran meanwhile, and of `whole` how far one can go.
    All moments are Unix time."""

    from_s: float
    to_s: float
    whole: tuple[float, float]
    lanes: list[Lane]
    cells: list[CellRecord]


def phase_intervals(calls: dict[str, Any]) -> dict[str, tuple[Any, Any, Any]]:
    """Of `Log.calls()`: by phase the rows that have it, and when it began and ended.

    The phases of a call follow each other from its start; an execution begins with the call, or where its compile ended.
    """
    import numpy as np

    begun = calls["started_s"].copy()
    found: dict[str, tuple[Any, Any, Any]] = {}
    for phase in PHASES:
        seconds = calls[f"{phase}_s"]
        rows = np.flatnonzero(seconds > 0)  # NaN is none
        found[phase] = (rows, begun[rows], begun[rows] + seconds[rows])
        if phase != "execute":
            begun[rows] += seconds[rows]
    return found


def timeline(log: Log, from_s: float | None = None, to_s: float | None = None, stretches: int = 240) -> Timeline:
    """The calls between two moments (at first all that are kept), added up in so many equal stretches.

    Example:
        >>> timeline(log).lanes[0].phases["compile"]
    """
    import numpy as np

    log.fold()
    calls = log.calls()
    with log.lock:
        names = {function: record.name for function, record in log.functions.items()}
        cells = list(log.cells)
    whole = _whole(calls)
    low, high = (whole[0] if from_s is None else from_s), (whole[1] if to_s is None else to_s)
    if not high > low:
        high = low + 1e-6
    edges = np.linspace(0.0, high - low, stretches + 1)
    intervals = phase_intervals(calls)
    owner = calls["function"]
    functions = _dearest(owner, calls, names)
    lane_of = {function: place for place, function in enumerate(functions)}
    used, code = np.unique(owner, return_inverse=True)
    places = (
        np.array([lane_of.get(function, len(functions)) for function in used.tolist()], dtype="i8")[code]
        if len(used)
        else owner
    )
    outcome, moment = calls["outcome"], calls["started_s"] - low
    lanes: list[Lane] = []
    for place in range(len(functions) + 1):
        mine = places == place
        if not mine.any():
            continue
        phases = {}
        for phase, (rows, start, end) in intervals.items():
            own = mine[rows]
            phases[phase] = _per_stretch(start[own] - low, end[own] - low, edges)
        counts = [
            np.histogram(moment[mine & which], bins=edges)[0].tolist()
            for which in (outcome == HIT, (outcome == MISS) | (outcome == DISK_HIT))
        ]
        function = functions[place] if place < len(functions) else 0
        lanes.append(Lane(function, names.get(function, "") if function else "others", phases, *counts))
    shown = [cell for cell in cells if cell.started_s < high and (cell.ended_s or high) > low]
    return Timeline(low, high, whole, lanes, shown)


def _whole(calls: dict[str, Any]) -> tuple[float, float]:
    import numpy as np

    if not len(calls["started_s"]):
        return 0.0, 0.0
    start = calls["started_s"]
    ends = start + np.fmax(calls["dispatch_s"], np.nan_to_num(calls["execute_s"]))
    return float(start.min()), float(ends.max())


def _dearest(owner: Any, calls: dict[str, Any], names: dict[int, str]) -> list[int]:
    import numpy as np

    used, code = np.unique(owner, return_inverse=True)
    seconds = sum(np.nan_to_num(calls[f"{phase}_s"]) for phase in PHASES)
    spent: Any = np.bincount(code, weights=seconds, minlength=len(used)) if len(used) else []
    ranked = [function for _, function in sorted(zip((-s for s in spent), used.tolist(), strict=True)) if function in names]
    return ranked[:LANES]


def _per_stretch(start: Any, end: Any, edges: Any) -> list[float]:
    """Seconds of the intervals in each stretch: the difference of what lies before its two edges. Exact, and of a million
    intervals as quick as sorting them."""
    import numpy as np

    if not len(start):
        return [0.0] * (len(edges) - 1)
    start, end = np.sort(np.clip(start, 0.0, edges[-1])), np.sort(np.clip(end, 0.0, edges[-1]))
    found = np.diff(_before(start, edges) - _before(end, edges))
    clean: list[float] = np.where(found > 1e-12, found, 0.0).tolist()
    return clean


def _before(moments: Any, edges: Any) -> Any:
    """For each edge the sum of its distances to the moments before it."""
    import numpy as np

    sums = np.concatenate(([0.0], np.cumsum(moments)))
    count = np.searchsorted(moments, edges)
    return edges * count - sums[count]
