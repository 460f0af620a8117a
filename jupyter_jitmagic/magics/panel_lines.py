"""The panel's questions "lines" and "roll": an entry's function on its own source, each line with what it costs, and its
unrolled loop as one."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.by_line import made_up, measuring
from jupyter_jitmagic.display import lines as _lines_display
from jupyter_jitmagic.display.model import Diff, Heading, Listing, Paragraph, Title
from jupyter_jitmagic.live.question_answers import number_in
from jupyter_jitmagic.live.rows import place
from jupyter_jitmagic.magics import front_end, rolled_cell
from jupyter_jitmagic.records.log import log

_LONGEST = 2000
"""Lines of one answer."""


def for_panel(shell: Any, args: Mapping[str, object]) -> dict[str, object]:
    """`entry` to `parts` (a function each: its name, what stands beside it, its place, and its lines), `notes`, and the `loop`
    that tracing unrolled (`line` and `rounds`), null where that is none.

    What the last `%jitlines` measured of the function, else what is known of the entry without running it.
    """
    entry = log.known_entry(number_in(args, "entry"))
    record = log.known_function(entry.function) if entry is not None else None
    if entry is None or record is None:
        raise OptionError("this entry is gone")
    report = measuring.latest(record) or measuring.unmeasured(measuring.target_named(record), entry)
    parts: list[dict[str, object]] = []
    notes: list[str] = []
    heading: Heading | None = None
    numbers = iter(report.lines)
    for block in _lines_display.document(report, lambda file, line: "").blocks:
        match block:
            case Heading():
                heading = block
            case Listing(columns, rows, code, heat):
                lines = [next(numbers).line for _ in rows]
                where = report.places.get(heading.name) if heading else None
                parts.append(
                    {
                        "name": heading.name if heading else "",
                        "beside": heading.beside if heading else "",
                        "place": place(*where, partial(front_end.cell_number, shell)) if where else None,
                        "columns": list(columns[1:]),
                        "rows": [list(row[1:]) for row in rows[:_LONGEST]],
                        "lines": lines[:_LONGEST],
                        "code": list(code[:_LONGEST]),
                        "heat": [round(each, 4) for each in heat[:_LONGEST]],
                    }
                )
                heading = None
            case Paragraph(text):
                notes.append(text)
    loop = made_up.loop_of(entry)
    return {"parts": parts, "notes": notes, "loop": loop and {"line": loop.line, "rounds": loop.rounds}}


def rolled_for_panel(shell: Any, args: Mapping[str, object]) -> dict[str, object]:
    """`entry` to that loop as one of `lax`, measured: `title`, whether that is `good`, `diff`, what is `said` of it, and the
    `fix`: the function's cell before and after, null where it is in none, or not as it ran.

    To be asked on the main shell: it runs the user's function, which no cell may do meanwhile. Ctrl-C ends it.
    """
    if threading.current_thread() is not threading.main_thread():
        raise OptionError("this is measured between cells: ask on the main shell")
    entry = log.known_entry(number_in(args, "entry"))
    if entry is None:
        raise OptionError("this entry is gone")
    try:
        rolled = made_up.rolled_entry(entry)
    except KeyboardInterrupt:
        raise OptionError("measuring was stopped") from None
    answer: dict[str, object] = {"title": "", "good": False, "diff": "", "said": [], "fix": None}
    said: list[str] = []
    for block in _lines_display.rolled(rolled, "made-up arguments of this entry's types").blocks:
        match block:
            case Title(text, tone):
                answer.update(title=text, good=tone == "good")
            case Diff(lines):
                answer["diff"] = "\n".join(lines)
            case Paragraph(text):
                said.append(text)
    try:
        cell, after = rolled_cell.changed(shell, rolled)
        answer["fix"] = {"cell": cell.number, "cell_id": cell.id, "before": cell.text, "after": after, "diff": answer["diff"]}
    except OptionError as no_place:
        said.append(f"{no_place}.")
    return {**answer, "said": said}
