"""The lines of a function with what each costs, as a document. Knows the report by its shape alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Protocol

from jupyter_jitmagic.display import amounts
from jupyter_jitmagic.display.model import Block, Diff, Document, Heading, Listing, Paragraph, Title


class Figures(Protocol):
    """What is known of a line; times are seconds of one call."""

    execute_s: float
    within_s: float
    backward_s: float
    flops: float
    bytes: float
    instructions: float

    @property
    def approximate(self) -> bool: ...


class Line(Protocol):
    """A line, or what has none."""

    @property
    def function(self) -> str: ...
    @property
    def line(self) -> int | None: ...
    @property
    def code(self) -> str: ...
    @property
    def figures(self) -> Figures | None: ...
    @property
    def equations(self) -> int | None: ...
    @property
    def repeats(self) -> int | None: ...


class Report(Protocol):
    """The lines of functions in the order in which they are shown."""

    @property
    def name(self) -> str: ...
    @property
    def lines(self) -> Sequence[Line]: ...
    @property
    def places(self) -> dict[str, tuple[str, int]]: ...
    @property
    def measured(self) -> bool: ...
    @property
    def calls(self) -> int: ...
    @property
    def notes(self) -> Sequence[str]: ...


def document(report: Report, place: Callable[[str, int], str] = lambda file, line: f"{file}:{line}") -> Document:
    """A report on its source: for each function its lines, the hot ones tinted.

    Args:
        report: what was measured.
        place: how a reader knows a line of a file, as "cell [3], line 4".
    """
    whole = sum(line.figures.execute_s for line in report.lines if line.figures)
    instructions = sum(line.figures.instructions for line in report.lines if line.figures)
    hottest = max((_heat(line, report.measured) for line in report.lines), default=0.0) or 1.0
    blocks: list[Block] = []
    for function, lines in groupby(report.lines, key=lambda line: line.function):
        rows = list(lines)
        if function:
            blocks.append(_heading(function, rows, report, whole, place))
        elif len(rows) == 1 and blocks:
            continue  # what has no line is told below
        elif len(rows) > 1:
            blocks.append(Heading(report.name, "its lines are not known: by operation"))
        blocks.append(_listing(rows, report.measured, whole, instructions, hottest))
    blocks.append(Paragraph(_foot(report, whole), "dim"))
    blocks += [Paragraph(note, "dim") for note in report.notes]
    return Document.of(blocks)


def _heat(line: Line, measured: bool) -> float:
    if line.figures is None:
        return 0.0
    return line.figures.execute_s if measured else float(line.figures.instructions)


def _heading(function: str, rows: Sequence[Line], report: Report, whole: float, place: Callable[[str, int], str]) -> Heading:
    words = [place(*report.places[function])] if function in report.places else []
    if report.measured:
        own = sum(line.figures.execute_s for line in rows if line.figures)
        words.append(f"itself {amounts.seconds(own)} a call, {_percent(own, whole) or '0 %'}")
    return Heading(function, " · ".join(filter(None, words)))


def _listing(rows: Sequence[Line], measured: bool, whole: float, instructions: float, hottest: float) -> Listing:
    backward = measured and any(line.figures and line.figures.backward_s for line in rows)
    within = measured and any(line.figures and _calls(line.figures) for line in rows)
    equations = any(line.equations is not None for line in rows)
    times = ("share", "time", *["of it backward"] * backward, *["with calls"] * within) if measured else ("program",)
    shown = []
    for line in rows:
        cells = [str(line.line) if line.line is not None else ""]
        figures = line.figures
        if measured:
            cells += _times(figures, whole, backward, within)
        else:
            cells.append(_percent(figures.instructions, instructions) if figures else "")
        cells += [_equations(line)] * equations
        cells += [amounts.estimate(figures.flops), amounts.estimate(figures.bytes)] if figures else ["", ""]
        shown.append(tuple(cells))
    return Listing(
        ("line", *times, *["equations"] * equations, "flops", "bytes"),
        tuple(shown),
        tuple(line.code for line in rows),
        tuple(_heat(line, measured) / hottest for line in rows),
    )


def _times(figures: Figures | None, whole: float, backward: bool, within: bool) -> list[str]:
    if figures is None or not figures.within_s:
        return [""] * (2 + backward + within)
    about = "≈ " if figures.approximate and figures.execute_s else ""
    return [
        _percent(figures.execute_s, whole),
        about + amounts.seconds(figures.execute_s) if figures.execute_s else "",
        *([amounts.seconds(figures.backward_s) if figures.backward_s else ""] if backward else []),
        *([amounts.seconds(_calls(figures)) if _calls(figures) else ""] if within else []),
    ]


def _calls(figures: Figures) -> float:
    """Seconds with the functions that the line calls, 0 where it calls none."""
    return figures.within_s if figures.within_s > 1.001 * figures.execute_s else 0.0


def _equations(line: Line) -> str:
    if not line.equations:
        return ""
    repeated = f" (×{amounts.count(line.repeats)})" if line.repeats and line.repeats > 1 else ""
    return f"{amounts.count(line.equations)}{repeated}"


def _percent(part: float, whole: float) -> str:
    if not whole or not part:
        return ""
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 9.95 else f"{share:.1f} %" if share >= 0.05 else "< 0.1 %"


def _foot(report: Report, whole: float) -> str:
    words = []
    if report.measured:
        words.append(f"{amounts.seconds(whole)} a call ({amounts.times(report.calls, 'call')})")
        if any(line.figures and line.figures.approximate and line.function for line in report.lines):
            words.append("≈ by estimate: XLA fused several lines, or lost the line")
        lost = sum(line.figures.execute_s for line in report.lines if line.figures and not line.function)
        if lost:
            words.append(f"not attributed: {amounts.seconds(lost)}, {_percent(lost, whole)}")
    equations = sum(line.equations or 0 for line in report.lines)
    if equations:
        words.append(amounts.times(equations, "equation"))
    words.append("flops and bytes are estimates")
    return " · ".join(words)


def of_many(reports: Mapping[int, Report], kind: str, place: Callable[[str, int], str]) -> Document:
    """One function as several processes ran it: each line with the process that was slowest at it.

    Args:
        reports: by process.
        kind: what the processes are called: "engine" or "process".
        place: as for `document`.
    """
    times: dict[tuple[str, int | None, str], dict[int, float]] = {}
    places: dict[str, tuple[str, int]] = {}
    for who, report in reports.items():
        places = {**report.places, **places}
        for line in report.lines:
            seconds = line.figures.execute_s if line.figures else 0.0
            times.setdefault((line.function, line.line, line.code), {})[who] = seconds
    wholes = {who: sum(line.figures.execute_s for line in report.lines if line.figures) for who, report in reports.items()}
    last = max(wholes, key=lambda who: wholes[who])
    hottest = max((max(each.values()) for each in times.values()), default=0.0) or 1.0
    blocks: list[Block] = []
    for function, keys in groupby(times, key=lambda key: key[0]):
        own = list(keys)
        where = place(*places[function]) if function in places else ""
        blocks.append(Heading(function or reports[last].name, where))
        rows, heat = [], []
        for key in own:
            slowest = max(times[key], key=lambda who: times[key][who])
            least = min(times[key].get(who, 0.0) for who in reports)
            most = times[key][slowest]
            known = [amounts.seconds(most), str(slowest), amounts.seconds(least)] if most else ["", "", ""]
            rows.append(("" if key[1] is None else str(key[1]), _percent(times[key].get(last, 0.0), wholes[last]), *known))
            heat.append(most / hottest)
        columns = ("line", f"share of {kind} {last}", "slowest", kind, "fastest")
        blocks.append(Listing(columns, tuple(rows), tuple(code for _, _, code in own), tuple(heat)))
    each = ", ".join(f"{kind} {who}: {amounts.seconds(seconds)}" for who, seconds in sorted(wholes.items()))
    blocks.append(Paragraph(f"a call by {each}", "dim"))
    notes = dict.fromkeys(f"{kind} {who}: {note}" for who, report in reports.items() for note in report.notes)
    return Document.of([*blocks, *(Paragraph(note, "dim") for note in notes)])


class Priced(Protocol):
    """What one form of a function costs; seconds."""

    @property
    def equations(self) -> int: ...
    @property
    def compile_s(self) -> float: ...
    @property
    def execute_s(self) -> float: ...


class Rolled(Protocol):
    """A function with its loop as it is, and as one loop of the program."""

    @property
    def function(self) -> str: ...
    @property
    def pattern(self) -> str: ...
    @property
    def diff(self) -> str: ...
    @property
    def unrolled(self) -> Priced: ...
    @property
    def rolled(self) -> Priced: ...
    @property
    def is_recorded(self) -> bool: ...


_SLOWER = 1.1
"""From this ratio on, an execution counts as slower: less is noise."""


def rolled(found: Rolled, arguments: str = "these arguments", jitfix: str = "") -> Document:
    """The change that makes one loop of an unrolled one, with the price of both forms.

    Args:
        found: the change.
        arguments: what both were run with.
        jitfix: what `%jitfix` does with it, in a sentence.
    """
    before, after = found.unrolled, found.rolled
    slower = after.execute_s > _SLOWER * before.execute_s
    dearer = after.compile_s > before.compile_s
    lines = tuple(line for line in found.diff.splitlines() if not line.startswith("@@"))
    return Document.of(
        [
            Title(f"{found.function}: as one lax.{found.pattern}", "bad" if slower or dearer else "good"),
            Diff(lines),
            Paragraph(
                f"compiles in {amounts.seconds(after.compile_s)} instead of {amounts.seconds(before.compile_s)} "
                f"({amounts.times(after.equations, 'equation')} instead of {amounts.count(before.equations)}), "
                f"{'but ' if slower else ''}executes in {amounts.seconds(after.execute_s)} instead of "
                f"{amounts.seconds(before.execute_s)}"
            ),
            Paragraph(
                f"run with {arguments}, equal to the loop as it is; "
                + ("compiling that was recorded earlier, all else measured now" if found.is_recorded else "both measured now"),
                "dim",
            ),
            *([Paragraph(jitfix)] if jitfix else []),
        ]
    )
