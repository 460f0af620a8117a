"""``%%jit --engines``: a cell run on all engines, what is alike shown once; ``%jitfix`` after a trace that failed there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.display import Document
from jupyter_jitmagic.display.model import Paragraph
from jupyter_jitmagic.magics import front_end
from jupyter_jitmagic.magics.many_processes import view
from jupyter_jitmagic.magics.request import is_for_engines, jit_line, read_jit_line, without_engines
from jupyter_jitmagic.processes import asking, running

if TYPE_CHECKING:
    from jupyter_jitmagic.magics.failures import Failures


def run(shell: Any, line: str, cell: str) -> None:
    """Run a cell on the engines that ``%px`` speaks to, and show what they show: what is alike, once, with who says so.

    Raises:
        OptionError: a wrong option, no engines, or one that cannot run it.
        Exception: what the engines raised; of those that raised alike the first one's.
    """
    read_jit_line(line)
    first = f"%%jit {without_engines(line)}".rstrip()
    said, error = running.run_on(view(shell), f"{first}\n{cell}")
    groups = list(running.alike(said))
    failed = [group for group in groups if group.what == "error"]
    if failed and all(running.kind_of(group.said) == "UsageError" for group in failed):
        raise OptionError(failed[0].said.evalue.removeprefix("%%jit: "))
    label = ""
    for group in groups:
        if [group] == failed and len(group.engines) == len(said):
            continue  # its traceback is all that is left to show
        before, label = label, f"{running.who(group.engines, len(said))}:"
        if group.what == "error":
            label += f" {running.kind_of(group.said)}"
        if label != before:
            front_end.show(shell, Document.of([Paragraph(label, "dim")]))
        if group.what == "shown":
            shell.display_pub.publish(group.said["data"], metadata=group.said.get("metadata") or {})
        elif group.what != "error":
            print(group.said, end="", file=getattr(sys, group.what), flush=True)
    if error is not None:
        raise error


def fix(shell: Any, failures: Failures, number: int, engine: int) -> None:
    """Put fix `number` of the trace that failed on an engine into the cell that asks here.

    Raises:
        OptionError: what that engine has to say.
    """
    text = f"__import__('importlib').import_module('jupyter_jitmagic.magics.fix_magic').told({number})"
    told, notes = asking.evaluated(asking.engines_of(view(shell))[0][engine], text, None)
    if not told:
        raise OptionError(notes[0].removesuffix(" and is left out"))
    answer = told[0][1]
    if answer["wrong"]:
        raise OptionError(answer["wrong"])
    if answer["cell"] is not None:
        shell.set_next_input(_as_here(failures.failed_cell.text, *answer["cell"]), replace=True)
    front_end.show(shell, answer["said"])


def _as_here(typed: str, before: str, after: str) -> str:
    """An engine's cell with the fix, below the magic that sends it there: as it was typed here, if that was this cell."""
    at = jit_line(typed)
    lines = typed.rstrip().splitlines()
    if at is None or [without_engines(lines[at]), *lines[at + 1 :]] != before.rstrip().splitlines():
        return f"%%px\n{after}"
    first, *rest = after.splitlines()
    if is_for_engines(lines[at]):
        first += " --engines"
    return "\n".join([*lines[:at], first, *rest])
