"""The panel's question "program": an entry's program as text, with the line of source behind each of its lines."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from jupyter_jitmagic.by_line.program_text import What, program_text
from jupyter_jitmagic.live.question_answers import TEXT_LIMIT, number_in
from jupyter_jitmagic.live.rows import place
from jupyter_jitmagic.magics import front_end


def for_panel(shell: Any, args: Mapping[str, object]) -> dict[str, object]:
    """`entry` and `what` ("jaxpr", "stablehlo" or "hlo") to `text`, its whole `length`, `places` of the user's source, and for
    each line of the text (`at`) which of them it came from, or -1."""
    found = program_text(number_in(args, "entry"), cast(What, str(args.get("what"))))
    text = found.text[:TEXT_LIMIT]
    numbers: dict[tuple[str, int], int] = {}
    at = [
        -1 if each is None else numbers.setdefault((each.file, each.line), len(numbers))
        for each in found.places[: text.count("\n") + 1]
    ]
    locate = partial(front_end.cell_number, shell)
    places = [place(file, line, locate) for file, line in numbers]
    return {"text": text, "length": len(found.text), "places": places, "at": at}
