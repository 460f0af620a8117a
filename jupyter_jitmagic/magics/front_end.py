"""What several magics need of a shell: showing a document, and finding the cell that a file name of a traceback stands for.

Takes the shell as an argument and imports nothing of IPython.
"""

from __future__ import annotations

import linecache
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jupyter_jitmagic.display import Document, Shown, to_text
from jupyter_jitmagic.magics.timed_cells import TIMED, is_shown


def show(shell: Any, document: Document) -> None:
    """Show a document: in a kernel as HTML with the text beside it, in a terminal as text with its colours and width."""
    bundle = Shown(document).bundle()
    if not in_kernel(shell):
        colour = sys.stdout.isatty() and getattr(shell, "colors", "nocolor").lower() != "nocolor"
        bundle["text/plain"] = to_text(document, colour=colour, width=min(shutil.get_terminal_size().columns, 120))
    shell.display_pub.publish(bundle)


def in_kernel(shell: Any) -> bool:
    """Is this the shell of a kernel (and not of a terminal or a script)?"""
    return getattr(shell, "kernel", None) is not None


def cell_number(shell: Any, filename: str) -> int | None:
    """The execution number of the cell that was compiled under this file name, None for a file, or where there is no shell."""
    if shell is None:
        return None
    if filename == TIMED:
        timed = typed_cell(shell, filename)
        return timed.number if timed is not None else None
    named = shell.compile.format_code_name(filename)
    if not named or not named[1].startswith("In["):
        return None
    number = named[1][3:-1]
    return int(number) if number.isdigit() else None


def place(shell: Any, filename: str, line: int) -> str:
    """A line as a reader knows it: "cell [3], line 4" or "model.py, line 12"."""
    number = cell_number(shell, filename)
    if filename == TIMED and (timed := typed_cell(shell, filename)) is not None:
        line = line_as_typed(timed.text, filename, line) or line
    if number is not None:
        return f"cell [{number}], line {line}"
    return f"{os.path.basename(filename)}, line {line}"


@dataclass(frozen=True, slots=True)
class TypedCell:
    """A cell as it was typed, magics and all; `number` is the one it ran under, None where that is not known."""

    text: str
    number: int | None = None
    id: str = ""
    """The front end's name of it, where it gave one."""


def typed_cell(shell: Any, filename: str) -> TypedCell | None:
    """The cell that a file name of a traceback stands for; None if it is not known any more, or if its lines do not match."""
    if filename == TIMED:
        found = (each for each in typed_cells(shell) if is_shown(each.text))
        return next(found, None)
    number = cell_number(shell, filename)
    if number is None or shell.history_manager is None:
        return None
    typed = shell.history_manager.input_hist_raw
    ran = "".join(linecache.getlines(filename)).rstrip().splitlines()  # the history drops blank lines at the end
    for place in [number, *range(len(typed) - 1, -1, -1)]:
        text = str(typed[place]) if place < len(typed) else ""
        lines = as_python(text).splitlines()
        if len(lines) >= len(ran) and _same_code(lines, ran):
            return TypedCell(text, place)
    return None


def as_python(typed: str) -> str:
    """A cell without the indentation that IPython takes off all of it."""
    return textwrap.dedent(typed) if typed.lstrip("\n")[:1].isspace() else typed


def typed_cells(shell: Any) -> Iterator[TypedCell]:
    """The cells of this session, the latest first."""
    typed = shell.history_manager.input_hist_raw if shell.history_manager is not None else []
    yield from (TypedCell(str(typed[number]), number) for number in range(len(typed) - 1, 0, -1))


def line_as_typed(typed: str, filename: str, line: int) -> int | None:
    """Which line of a cell as typed is this line of what ran: other magics above may have taken theirs away."""
    ran = "".join(linecache.getlines(filename)).rstrip().splitlines()
    lines = typed.rstrip().splitlines()
    there = line + len(lines) - len(ran)
    known = 0 < line <= len(ran) and 0 < there <= len(lines)
    return there if known and lines[there - 1].strip() == ran[line - 1].strip() else None


def _same_code(typed: list[str], ran: list[str]) -> bool:
    """Are these the same lines, apart from those that are magics or shell commands?"""
    compared = 0
    for above, below in zip(typed, ran, strict=False):
        if above == below:
            compared += 1
        elif "get_ipython()" not in below and not below.startswith("# %%jit") and below.strip():
            return False
    return compared > 0
