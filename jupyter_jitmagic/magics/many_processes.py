"""`%jitstats --from FOLDER`, `--engines` and `--differ`: the tables of many processes, shown as those of one."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.display import Document, stats
from jupyter_jitmagic.display import lines as _lines_display
from jupyter_jitmagic.display.model import Details, Paragraph
from jupyter_jitmagic.display.page import page
from jupyter_jitmagic.magics import front_end, lines_magic
from jupyter_jitmagic.magics.report import save, save_report
from jupyter_jitmagic.records.log import MissRecord, log

if TYPE_CHECKING:
    from jupyter_jitmagic.records.programs import Differing

_OF_ONE_PROCESS = ("plot", "reset", "break_even")
_SUMMED = ("calls", "hits", "misses", "errors", "inlined", "trace_s", "lower_s", "compile_s", "dispatch_s", "execute_calls")


def is_asked_for(given: argparse.Namespace) -> bool:
    return given.folder is not None or given.engines or given.differ


def run(shell: Any, given: argparse.Namespace) -> None:
    """Do what the line says.

    Raises:
        OptionError: a folder that cannot be opened, no engines, an option that is about this kernel alone.
    """
    wrong = [f"--{name.replace('_', '-')}" for name in _OF_ONE_PROCESS if getattr(given, name)]
    if wrong:
        raise OptionError(f"{wrong[0]} is about this kernel alone: leave it out")
    if given.folder is not None and given.engines:
        raise OptionError("--from and --engines are two sources: choose one")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the notes say the same
        (_folder if given.folder is not None else _engines)(shell, given)


def _folder(shell: Any, given: argparse.Namespace) -> None:
    from jupyter_jitmagic.processes.differing import found_in
    from jupyter_jitmagic.processes.opened import open_folder

    opened = open_folder(given.folder)
    if given.differ:
        front_end.show(shell, _differences(shell, found_in(opened)[0], len(opened.processes), opened.notes))
    else:
        _show(shell, given, opened.stats(given.level), opened.stats("misses"), opened.notes, ("run", "process"))


def _engines(shell: Any, given: argparse.Namespace) -> None:
    from jupyter_jitmagic.processes.asking import ask
    from jupyter_jitmagic.processes.differing import between
    from jupyter_jitmagic.processes.gathering import table
    from jupyter_jitmagic.processes.levels import PROGRAMS

    wanted = [PROGRAMS] if given.differ else list(dict.fromkeys((given.level, "misses", PROGRAMS)))
    answers = ask(view(shell), wanted)
    found = between(answers)
    if given.differ:
        front_end.show(shell, _differences(shell, found, len(answers.given), answers.notes))
        return
    if found and not given.output and not given.save:
        front_end.show(shell, _differences(shell, found, len(answers.given), ()))
    frames = {level: table(answers, level) for level in dict.fromkeys((given.level, "misses"))}
    _show(shell, given, frames[given.level], frames["misses"], answers.notes, ("engine", "process"))


def show_told(shell: Any) -> None:
    """Show again what this process was told: that it and others are about to run different programs."""
    if log.functions or log.others:  # else not even JAX need be imported
        from jupyter_jitmagic.processes.differing import found_in

        found, _ = found_in(None)
        if found:
            front_end.show(shell, _differences(shell, found, 0, ()))


def view(shell: Any) -> Any:
    """The engines that ``%px`` speaks to, or else a client or view of ipyparallel among the user's names."""
    magics = shell.magics_manager.registry.get("ParallelMagics")
    if magics is not None and getattr(magics, "view", None) is not None:
        return magics.view
    for value in list(shell.user_ns.values()):
        if type(value).__module__.startswith("ipyparallel.") and hasattr(getattr(value, "client", value), "ids"):
            return value
    raise OptionError("there are no engines here: ipyparallel.Cluster(n=4).start_and_connect_sync() starts some")


def _differences(shell: Any, found: Sequence[Differing], count: int, notes: Sequence[str]) -> Document:
    lines = [Paragraph(f"{each.differs}{_called_at(shell, each.call_site)}") for each in found]
    if not lines and count > 1:
        lines = [Paragraph(f"All {count} processes compiled the same programs, in the same order.", "dim")]
    elif not lines:
        lines = [Paragraph("There are no two processes to compare.", "dim")]
    return Document.of([*lines, *(Paragraph(note, "dim") for note in notes)])


def _called_at(shell: Any, call_site: str) -> str:
    filename, _, line = call_site.rpartition(":")
    return f" ({_place(shell, filename, int(line))})" if line.isdigit() else ""


def _place(shell: Any, filename: str, line: int) -> str:
    return f"line {line} of its cell" if _is_cell(filename) else front_end.place(shell, filename, line)


def _is_cell(filename: str) -> bool:
    """Whether this is a cell of some kernel: its number is that kernel's."""
    return "ipykernel_" in filename


def lines(shell: Any, line: str) -> None:
    """`%jitlines --engines`: run the line's statement on all engines at once; each line is shown with the slowest engine."""
    from jupyter_jitmagic.processes.asking import evaluated

    if not line:
        raise OptionError("--engines takes a statement, as in `%jitlines --engines step(x)`: it runs on every engine")
    text = f"__import__('importlib').import_module({lines_magic.__name__!r}).told({line!r})"
    told, notes = evaluated(view(shell), text, None)
    numbers = [answer["about"].get("process") for _, answer in told]
    by_process = None not in numbers and len(set(numbers)) == len(numbers)
    kind = "process" if by_process else "engine"
    names: dict[str, dict[int, Any]] = {}
    for (engine, answer), number in zip(told, numbers, strict=True):
        for report in answer["reports"]:
            names.setdefault(report.name, {})[number if by_process else engine] = report
    place = partial(_place, shell)
    for reports in list(names.values())[: lines_magic.SHOWN]:
        front_end.show(shell, _lines_display.of_many(reports, kind, place))
    if notes or not names:
        said = [Paragraph(note, "dim") for note in notes or ["no engine ran a jitted function"]]
        front_end.show(shell, Document.of(said))


def _show(shell: Any, given: argparse.Namespace, frame: Any, misses: Any, notes: Sequence[str], by: tuple[str, ...]) -> None:
    """Show or store a table, `by` being the columns that say of which process each row is."""
    names = [name for group in given.names for name in group]
    if names:
        known = sorted({str(name) for name in frame["function"]})
        unknown = [name for name in names if name not in known]
        if unknown:
            raise OptionError(f"no recorded function is called {unknown[0]} (there are: {', '.join(known) or 'none'})")
        frame, misses = (each[each["function"].isin(names)] for each in (frame, misses))
    if given.output:
        shell.user_ns[given.output] = frame
    elif given.save:
        if given.save.endswith(".html"):
            overview = document(given.level, frame, misses, notes, by)
            sheet = stats.sheet(given.level.capitalize(), frame.to_dict("records"), list(frame.columns))
            save_report(lambda title: page(title, overview, {}, None, [sheet]), given.save)
        else:
            save(frame, given.save)
        front_end.show(shell, Document.of([Paragraph(f"{len(frame)} rows of {given.level} written to {given.save}", "dim")]))
    else:
        front_end.show(shell, document(given.level, frame, misses, notes, by))


def document(level: str, frame: Any, misses: Any, notes: Sequence[str], by: tuple[str, ...]) -> Document:
    """The totals of all processes, and each process below them, folded."""
    by = tuple(name for name in by if name in frame and frame[name].notna().any())
    rows = frame.to_dict("records")
    lines = [Paragraph(note, "dim") for note in notes]
    if level == "misses":
        for row in rows:
            row["miss"] = (*(row[name] for name in by), row["miss"])
            filename, _, line = str(row["call_site"]).rpartition(":")
            row["call_site"] = f"line {line} of its cell" if _is_cell(filename) else row["call_site"]
        return Document.of([*stats.grouped_misses(rows).blocks, *lines])
    if level != "functions" or not rows:
        return Document.of([*stats.level(level, rows, list(frame.columns)).blocks, *lines])
    totals = [_total(rows_) for _, rows_ in frame.groupby("function", sort=False)]
    records = _miss_records(misses, by)
    blocks = list(stats.functions(totals, [records.get(str(row["function"]), []) for row in totals], "").blocks)
    each = len(frame[list(by)].drop_duplicates()) if by else 1
    if each > 1:
        shown = [*by, "function", "calls", "hits", "misses", "compile_s", "execute_median_s", "time_s"]
        table = stats.level(level, [{name: row[name] for name in shown} for row in rows], shown)
        lines.insert(0, Paragraph(f"All {each} processes together; execute is the slowest one's median.", "dim"))
        blocks.append(Details("each by itself", table.blocks, short=True))
    return Document.of([*blocks, *lines])


def _total(rows: Any) -> dict[str, Any]:
    first = rows.iloc[0].to_dict()
    summed = {name: rows[name].sum() for name in _SUMMED}
    times = {"execute_median_s": rows["execute_median_s"].max(), "time_s": rows["time_s"].sum(min_count=1)}
    counts = {name: int(value) for name, value in summed.items() if not name.endswith("_s")}
    return {**first, **summed, **counts, **times, "superseded": bool(rows["superseded"].all()), "break_even_calls": None}


def _miss_records(misses: Any, by: tuple[str, ...]) -> dict[str, list[MissRecord]]:
    """The misses of each function, of all processes, as `display` takes them."""
    found: dict[str, list[MissRecord]] = {}
    if not len(misses):
        return found
    for _, rows in misses.fillna({"argument": "", "before": "", "now": ""}).groupby([*by, "miss"], sort=False):
        causes = tuple(Cause(row.cause, row.argument, row.before, row.now) for row in rows.itertuples())
        first = rows.iloc[0]
        record = MissRecord(
            int(first["miss"]), int(first["call"]), 0, int(first["entry"]), causes, 0.0, str(first["call_site"])
        )
        found.setdefault(str(first["function"]), []).append(record)
    return found
