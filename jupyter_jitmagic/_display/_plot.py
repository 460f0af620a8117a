"""Every call as a picture: what compiling cost, what executing takes. As sparklines, and with matplotlib if it is there."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_jitmagic._display import _units

Calls = Mapping[str, Sequence[Mapping[str, Any]]]
"""The calls of each function in order, each with outcome, trace_s, lower_s, compile_s, dispatch_s, execute_s (or None)."""

FUNCTIONS_SHOWN = 8
SPARKS_SHOWN = 60
POINTS_SHOWN = 5000

_SPARKS = "▁▂▃▄▅▆▇█"
_MISSES = ("miss", "disk_hit")
_PHASES = (("compile_s", "compile", "D", "#d9534a"), ("trace_s", "trace", "^", "#2f9e52"), ("lower_s", "lower", "s", "#b9770e"))


def sparklines(calls: Calls) -> str:
    """A line of bars per function, the height of each the logarithm of what the call took; an arrow below each compile."""
    if not calls:
        return "Nothing recorded yet."
    width = max(map(len, calls))
    lines = []
    for name, rows in list(calls.items())[:FUNCTIONS_SHOWN]:
        shown = rows[-SPARKS_SHOWN:]
        took = [_took(row) for row in shown]
        low, high = min(took), max(took)
        reach = math.log(high / low) if high > low else 1.0
        bars = "".join(_SPARKS[round((len(_SPARKS) - 1) * math.log(seconds / low) / reach)] for seconds in took)
        arrows = "".join("▲" if row["outcome"] in _MISSES else " " for row in shown).rstrip()
        lines.append(f"{name:{width}}  {bars}  {_units.seconds(low)} … {_units.seconds(high)}")
        if arrows:
            lines.append(f"{'':{width}}  {arrows}")
    lines.append(f"{'':{width}}  each bar a call (height: logarithm of what was seen of it), ▲ compiled")
    return "\n".join(lines)


def png(calls: Calls) -> bytes | None:
    """One panel per function over its calls: the phases of each miss and the executions as points, seconds on a log scale.

    None without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    shown = dict(list(calls.items())[:FUNCTIONS_SHOWN])
    if not shown:
        return None
    figure = Figure(figsize=(8.0, 0.9 + 1.7 * len(shown)), dpi=110, layout="constrained")
    panels = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for panel, (name, rows) in zip(panels, shown.items(), strict=True):
        _draw(panel, name, rows)
    panels[-1].set_xlabel("call")
    handles = {label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside upper right", ncols=5, frameon=False, fontsize=8)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _draw(panel: Any, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    step = max(1, len(rows) // POINTS_SHOWN)
    misses = [(place, row) for place, row in enumerate(rows, 1) if row["outcome"] in _MISSES]
    panel.vlines([place for place, _ in misses], 0, 1, transform=panel.get_xaxis_transform(), color="#d8dce2", linewidth=0.8)
    for key, label, marker, colour in _PHASES:
        points = [(place, row[key]) for place, row in misses if row[key]]
        if points:
            panel.plot(*zip(*points, strict=True), marker, markersize=5, color=colour, label=label)
    timed = [(place, row) for place, row in list(enumerate(rows, 1))[::step] if row["outcome"] not in _MISSES]
    seen = [(place, row["execute_s"]) for place, row in timed if row["execute_s"]]
    sent = [(place, row["dispatch_s"]) for place, row in timed if not row["execute_s"] and row["dispatch_s"]]
    for points, label, colour in ((seen, "execute", "#3b82c4"), (sent, "dispatch (end not seen)", "#b0b8c4")):
        if points:
            panel.plot(*zip(*points, strict=True), ".", markersize=4, color=colour, label=label)
    panel.set_yscale("log")
    panel.yaxis.set_major_formatter(lambda seconds, _: _units.seconds(seconds))
    panel.set_xlim(0.4, len(rows) + 0.6)
    panel.set_title(name, loc="left", fontsize=9, family="monospace")
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)


def _took(row: Mapping[str, Any]) -> float:
    """What a call took as far as it was seen: its phases and dispatch, or its execution where that is longer."""
    return max(row["dispatch_s"] or 0.0, row["execute_s"] or 0.0, 1e-9)
