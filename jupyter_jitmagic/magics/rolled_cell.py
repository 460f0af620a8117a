"""A cell with an unrolled loop as one of `lax`: what `%jitfix` puts there after `%jitlines --roll`."""

from __future__ import annotations

import os
import textwrap
from typing import Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.by_line.rolling import Rolled
from jupyter_jitmagic.display import Document
from jupyter_jitmagic.display.model import Heading
from jupyter_jitmagic.magics import front_end


def changed(shell: Any, rolled: Rolled) -> tuple[front_end.TypedCell, str]:
    """The function's cell, and its text with the new definition in the place of the old one.

    Raises:
        OptionError: one line: the function is in no cell, or the cell is no longer as it ran.
    """
    cell = front_end.typed_cell(shell, rolled.filename)
    if cell is None:
        raise OptionError(f"{rolled.function} is in {os.path.basename(rolled.filename)}: change it there")
    at = front_end.line_as_typed(cell.text, rolled.filename, rolled.line)
    lines = cell.text.splitlines(keepends=True)
    count = len(rolled.before.splitlines())
    own = "".join(lines[at - 1 : at - 1 + count]) if at else ""
    if textwrap.dedent(own).rstrip("\n") != rolled.before.rstrip("\n"):
        raise OptionError(f"{rolled.function} is written in a way that leaves no place for it: change it yourself")
    margin = own[: len(own) - len(own.lstrip(" \t"))]
    new = textwrap.indent(rolled.source.rstrip("\n"), margin)
    return cell, "".join([*lines[: at - 1], new, "\n" * own.endswith("\n"), *lines[at - 1 + count :]]) if at else ""


def what_jitfix_does(shell: Any, rolled: Rolled) -> str:
    """In a sentence; "" where it can do nothing."""
    try:
        changed(shell, rolled)
    except OptionError:
        return ""
    return "`%jitfix` puts it into the cell."


def put(shell: Any, rolled: Rolled) -> None:
    """Replace the asking cell by the function's, with that loop."""
    _, text = changed(shell, rolled)
    shell.set_next_input(text, replace=True)
    where = "is in the cell" if front_end.in_kernel(shell) else "is at the next prompt"
    front_end.show(
        shell, Document.of([Heading(f"{rolled.function} with its loop as one lax.{rolled.pattern} {where}", "", "good")])
    )
