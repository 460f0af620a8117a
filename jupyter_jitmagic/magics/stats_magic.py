"""`%jitstats`: the tables of the records, chosen, shown, kept, or forgotten."""

from __future__ import annotations

import argparse
import functools
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.display import Document, stats
from jupyter_jitmagic.display import plot as _plot_display
from jupyter_jitmagic.display.model import Paragraph
from jupyter_jitmagic.display.page import page
from jupyter_jitmagic.magics import front_end, many_processes
from jupyter_jitmagic.magics.report import TRACE, environment, save, save_report, save_trace

if TYPE_CHECKING:
    from jupyter_jitmagic.tables import Level

LEVELS: tuple[Level, ...] = ("functions", "misses", "entries", "calls", "others", "diagnoses")
"""What a saved report shows, in this order."""
_HEADINGS = {"others": "Other compiles", "diagnoses": "Failed traces"}
_CALLS_SAVED = 100_000
"""The newest; each takes about a tenth of a kilobyte of the report."""


OFF = "Nothing is recorded: `jm.jit` is plain `jax.jit` now (`JITMAGIC_OFF=1` in the environment, or `jm.options.off`)."


def run(shell: Any, given: argparse.Namespace) -> None:
    """Do what the line says.

    Raises:
        OptionError: a name that no recorded function has, a file that cannot be written, nothing to measure.
    """
    from jupyter_jitmagic import tables

    if given.output is not None and not given.output.isidentifier():
        raise OptionError(f"-o {given.output}: not a name for a variable")
    if many_processes.is_asked_for(given):
        many_processes.run(shell, given)
        return
    chosen = [name for group in given.names for name in group]
    notes = _measure_break_even(chosen) if given.break_even else []
    frame = _chosen(tables.stats(given.level), chosen)
    quiet = False
    if given.output:
        shell.user_ns[given.output] = frame
        quiet = True
    if given.save and given.save.endswith(TRACE):
        front_end.show(shell, Document.of([Paragraph(_save_trace(shell, chosen, given.save), "dim")]))
        quiet = True
    elif given.save:
        is_report = given.save.endswith(".html")
        if is_report:
            save_report(lambda title: _report(shell, title, chosen), given.save)
        else:
            save(frame, given.save)
        what = f"a report of {', '.join(LEVELS)}" if is_report else f"{len(frame)} rows of {given.level}"
        front_end.show(shell, Document.of([Paragraph(f"{what} written to {given.save}", "dim")]))
        quiet = True
    if given.plot:
        _plot(shell, _chosen(tables.stats("calls"), chosen))
        quiet = True
    if not quiet and not (given.reset and not chosen and given.level == "functions"):
        many_processes.show_told(shell)
        front_end.show(shell, document(shell, given.level, frame, notes, break_even=given.break_even))
        if options.off:
            front_end.show(shell, Document.of([Paragraph(OFF)]))
        elif (paused := _paused()) is not None:
            front_end.show(shell, Document.of([Paragraph(paused)]))
    if given.reset:
        tables.reset()


def _report(shell: Any, title: str, chosen: list[str]) -> Iterator[str]:
    """A report as a page, piece by piece."""
    from jupyter_jitmagic import tables
    from jupyter_jitmagic.records.log import log
    from jupyter_jitmagic.records.spans import timeline

    overview = document(shell, "functions", _chosen(tables.stats("functions"), chosen, strict=False))
    sheets = []
    for level in LEVELS:
        frame = _chosen(tables.stats(level), chosen, strict=False)
        note = ""
        if level == "calls" and len(frame) > _CALLS_SAVED:
            note = f"the newest of {len(frame):,}"
            frame = frame.tail(_CALLS_SAVED)
        if len(frame):
            heading = _HEADINGS.get(level, level.capitalize())
            sheets.append(stats.sheet(heading, _rows(shell, frame), list(frame.columns), note))
    # of chosen functions alone it would show gaps in which others worked
    yield from page(title, overview, environment(), None if chosen else timeline(log), sheets)


def _rows(shell: Any, frame: Any) -> list[dict[str, Any]]:
    """The rows of a table, lines of source as a reader knows them."""
    rows: list[dict[str, Any]] = frame.to_dict("records")
    for row in rows:
        if row.get("call_site"):
            filename, _, number = row["call_site"].rpartition(":")
            row["call_site"] = front_end.place(shell, filename, int(number)) if number.isdigit() else row["call_site"]
    return rows


def _save_trace(shell: Any, names: list[str], file: str) -> str:
    from jupyter_jitmagic.records.log import log

    wanted = {id_ for id_, record in log.functions.items() if record.name in names} if names else None
    count = save_trace(wanted, functools.partial(front_end.place, shell), file)
    return f"a trace of {count} events written to {file}: ui.perfetto.dev opens it"


def _paused() -> str | None:
    from jupyter_jitmagic.records.log import log

    if log.paused_s is None:
        return None
    since = time.strftime("%H:%M:%S", time.localtime(log.paused_s))
    return f"Recording has been paused since {since} (in the panel): calls made since then are not counted."


def _chosen(frame: Any, names: list[str], *, strict: bool = True) -> Any:
    """The rows of these functions; all rows without names."""
    if not names:
        return frame
    known = set(frame["function"])
    unknown = [name for name in names if name not in known]
    if unknown and strict:
        has = ", ".join(sorted(map(str, known))) or "none"
        raise OptionError(f"no recorded function is called {unknown[0]} (there are: {has})")
    return frame[frame["function"].isin(names)]


def _measure_break_even(names: list[str]) -> list[str]:
    """Measure it for the functions named, or for all that compiled; returns what could not be measured and why."""
    from jupyter_jitmagic.recording.api.jitting import break_even
    from jupyter_jitmagic.records.log import log

    notes = []
    for record in list(log.functions.values()):
        if record.superseded or not record.misses or (names and record.name not in names):
            continue
        try:
            break_even(record.id)
        except OptionError as error:
            notes.append(str(error))
    return notes


def _plot(shell: Any, frame: Any) -> None:
    calls: dict[str, list[Any]] = {}
    for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        calls.setdefault(row["function"], []).append(row)
    picture = _plot_display.png(calls)
    bundle = {"text/plain": _plot_display.sparklines(calls)}
    if picture is not None:
        bundle["image/png"] = b64encode(picture).decode("ascii")
    shell.display_pub.publish(bundle)


def document(shell: Any, level: str, frame: Any, notes: Sequence[str] = (), *, break_even: bool = False) -> Document:
    rows = _rows(shell, frame)
    if level == "functions":
        pairs = [
            (row, found)
            for row, found in zip(rows, _misses_of(frame.index), strict=True)
            if row["calls"] or not row["superseded"]
        ]
        shown, misses = stats.replaced_together([row for row, _ in pairs], [misses for _, misses in pairs])
        notes = [*notes, *_untimed({str(row["function"]) for row in shown})]
        return stats.functions(shown, misses, _how(), notes, break_even=break_even)
    if level == "misses":
        return stats.grouped_misses(rows, _advice(shell, {str(row["function"]) for row in rows}))
    return stats.level(level, rows, list(frame.columns))


def _advice(shell: Any, functions: set[str]) -> list[str]:
    """What would have saved misses of these functions, what costs most first."""
    from jupyter_jitmagic.recording.guards import cures
    from jupyter_jitmagic.records.log import log

    names = {record.qualname for record in log.functions.values() if record.name in functions}
    found = [advice for history in cures.histories if history.function in names for advice in cures.advice_on(history)]
    place = functools.partial(front_end.place, shell)
    return [advice.line(place) for advice in sorted(found, key=lambda advice: -advice.cost_s)]


def _misses_of(positions: Any) -> list[list[Any]]:
    """The misses of the functions at these rows of the table; a name would not do, since a replaced function may share it."""
    from jupyter_jitmagic.records.log import log

    found: dict[int, list[Any]] = {}
    with log.lock:
        functions = list(log.functions)
        for miss in log.misses:
            found.setdefault(miss.function, []).append(miss)
    return [found.get(functions[position], []) for position in positions]


def _untimed(names: set[str]) -> list[str]:
    """Of each of these functions of which few hits have a time, why that is."""
    import numpy as np

    from jupyter_jitmagic.records.log import HIT, WHY_UNOBSERVED, log

    calls, lines = log.calls(), []
    hits = calls["outcome"] == HIT
    for id_, record in list(log.functions.items()):
        own = hits & (calls["function"] == id_)
        if record.name in names and own.any():
            why = calls["why_unobserved"][own]
            reasons = dict(zip(WHY_UNOBSERVED, np.bincount(why[why >= 0], minlength=len(WHY_UNOBSERVED)).tolist(), strict=True))
            lines.append(stats.untimed(record.name, int(own.sum()), reasons))
    return [line for line in lines if line is not None]


def _how() -> str:
    """How the executions were timed whose end was seen."""
    from jupyter_jitmagic.records.log import EXECUTE_HOW, log

    seen = {EXECUTE_HOW[code] for code in set(log.calls()["execute_how"].tolist())}
    words = {
        "observed": "observed without blocking",
        "averaged": "averaged over calls in a row",
        "blocked": "measured by waiting for each result",
    }
    return ", ".join(words[how] for how in words if how in seen)
