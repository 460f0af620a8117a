"""The panel's question "lines": an entry's function on its own source, each line with what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.by_line import measuring
from jupyter_jitmagic.display import lines as _lines_display
from jupyter_jitmagic.display.model import Heading, Listing, Paragraph
from jupyter_jitmagic.live.question_answers import number_in
from jupyter_jitmagic.live.rows import place
from jupyter_jitmagic.magics import front_end
from jupyter_jitmagic.records.log import log

_LONGEST = 2000
"""Lines of one answer."""


def for_panel(shell: Any, args: Mapping[str, object]) -> dict[str, object]:
    """`entry` to `parts` (a function each: its name, what stands beside it, its place, and its lines) and `notes`.

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
    return {"parts": parts, "notes": notes}
