"""Every call as a picture: what compiling cost, what executing takes. As sparklines, and with matplotlib if it is there."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_jitmagic.display import amounts

Calls = Mapping[str, Sequence[Mapping[str, Any]]]
"""The calls of each function in order, each with outcome, trace_s, lower_s, compile_s, dispatch_s, execute_s (or None)."""

FUNCTIONS_SHOWN = 8
LINE_SHOWN, RANGE_SHOWN, NAME_SHOWN = 80, 20, 24
"""Columns of a sparkline's line, and how many of them are for the times after it and the name before it."""
POINTS_SHOWN = 5000

_INK = "#7d838c"
"""Axes and words: read on light and on dark, as the picture has no ground of its own."""
_TICKS, _LEAST_WIDE = 5, 5
"""Marks of an axis at most; calls that it has room for at least."""
_DECADES = 100
"""From this reach on an axis has marks at powers of ten only."""
_SPARKS = "▁▂▃▄▅▆▇█"
_UNSEEN = "·"
_MISSES = ("miss", "disk_hit")
_PHASES = (("compile_s", "compile", "D", "#3b82c4"), ("trace_s", "trace", "^", "#d97706"), ("lower_s", "lower", "s", "#0f9aa8"))


def sparklines(calls: Calls) -> str:
    """A line of bars per function, the height of each the logarithm of what the call took; an arrow below each compile."""
    if not calls:
        return "Nothing recorded yet."
    chosen = _dearest(calls)
    names = [name if len(name) <= NAME_SHOWN else f"{name[: NAME_SHOWN - 1]}…" for name in chosen]
    width = max(map(len, names))
    lines = []
    for name, rows in zip(names, chosen.values(), strict=True):
        shown = rows[-(LINE_SHOWN - RANGE_SHOWN - width) :]
        took = [_took(row) for row in shown]
        seen = [seconds for seconds in took if seconds is not None]
        low, high = min(seen, default=1.0), max(seen, default=1.0)
        bars = "".join(_UNSEEN if seconds is None else _bar(seconds, low, high) for seconds in took)
        arrows = "".join("▲" if row["outcome"] in _MISSES else " " for row in shown).rstrip()
        reach = f"  {amounts.seconds(low)} … {amounts.seconds(high)}" if seen else ""
        lines.append(f"{name:{width}}  {bars}{reach}")
        if arrows:
            lines.append(f"{'':{width}}  {arrows}")
    lines.append(f"{'':{width}}  a bar a call (height: logarithm of its time)")
    lines.append(f"{'':{width}}  ▲ compiled   {_UNSEEN} its end was not seen")
    if len(calls) > len(chosen):
        lines.append(f"{'':{width}}  {_left_out(calls)}")
    return "\n".join(lines)


def _dearest(calls: Calls) -> dict[str, Sequence[Mapping[str, Any]]]:
    """The functions that there is room for: those whose calls took longest, in that order."""
    cost = {name: sum(_took(row) or 0.0 for row in rows) for name, rows in calls.items()}
    return {name: calls[name] for name in sorted(calls, key=lambda name: -cost[name])[:FUNCTIONS_SHOWN]}


def _left_out(calls: Calls) -> str:
    return f"and {amounts.times(len(calls) - FUNCTIONS_SHOWN, 'function')} that took less"


def _bar(seconds: float, low: float, high: float) -> str:
    reach = math.log(high / low) if high > low else 1.0
    return _SPARKS[round((len(_SPARKS) - 1) * math.log(seconds / low) / reach)]


def png(calls: Calls) -> bytes | None:
    """One panel per function over its calls: the phases of each miss and the executions as points, seconds on a log scale.

    None without matplotlib, and where no call has compiled or hit: one that failed has no point.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    drawn = {name: rows for name, rows in calls.items() if any(row["outcome"] in (*_MISSES, "hit") for row in rows)}
    shown = _dearest(drawn)
    if not shown:
        return None
    figure = Figure(figsize=(8.0, 0.9 + 1.7 * len(shown)), dpi=110, layout="constrained")
    panels = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for panel, (name, rows) in zip(panels, shown.items(), strict=True):
        _draw(panel, name, rows)
    panels[-1].set_xlabel("call" + (f" ({_left_out(drawn)})" if len(drawn) > len(shown) else ""), color=_INK, fontsize=8)
    handles = {label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)}
    legend = {"loc": "outside upper right", "ncols": 5, "frameon": False, "fontsize": 8, "labelcolor": _INK}
    figure.legend(handles.values(), handles.keys(), **legend)
    out = io.BytesIO()
    figure.savefig(out, format="png", transparent=True)
    return out.getvalue()


def _draw(panel: Any, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    step = max(1, len(rows) // POINTS_SHOWN)
    misses = [(place, row) for place, row in enumerate(rows, 1) if row["outcome"] in _MISSES]
    line = {"color": _INK, "alpha": 0.35, "linewidth": 0.8}
    panel.vlines([place for place, _ in misses], 0, 1, transform=panel.get_xaxis_transform(), **line)
    for key, label, marker, colour in _PHASES:
        points = [(place, row[key]) for place, row in misses if row[key]]
        if points:
            panel.plot(*zip(*points, strict=True), marker, markersize=5, color=colour, label=label)
    timed = [(place, row) for place, row in list(enumerate(rows, 1))[::step] if row["outcome"] == "hit"]
    seen = [(place, row["execute_s"]) for place, row in timed if row["execute_s"]]
    sent = [(place, row["dispatch_s"]) for place, row in timed if not row["execute_s"] and row["dispatch_s"]]
    for points, label, colour in ((seen, "execute", "#2f9e52"), (sent, "dispatch (end not seen)", "#b0b8c4")):
        if points:
            panel.plot(*zip(*points, strict=True), ".", markersize=4, color=colour, label=label)
    panel.set_yscale("log")
    low, high = panel.get_ylim()
    within_decades = (1.0,) if high > _DECADES * low else (1.0, 2.0, 5.0)
    panel.yaxis.set_major_locator(LogLocator(subs=within_decades, numticks=_TICKS))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(lambda seconds, _: amounts.seconds(seconds))
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.set_xlim(0.5, max(len(rows), _LEAST_WIDE) + 0.5)
    panel.set_title(name, loc="left", fontsize=9, family="monospace", color=_INK)
    panel.tick_params(labelsize=8, colors=_INK)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(_INK)


def _took(row: Mapping[str, Any]) -> float | None:
    """What a call took, its phases included; None for a hit whose end was not seen: that it was dispatched says nothing."""
    if row["outcome"] == "hit" and not row["execute_s"]:
        return None
    return max(row["dispatch_s"] or 0.0, row["execute_s"] or 0.0, 1e-9)
