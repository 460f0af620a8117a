"""Into which cell a fix belongs, and what of it belongs elsewhere."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.diagnosis.fixes import Fix
from jupyter_jitmagic.magics import front_end
from jupyter_jitmagic.magics.failed_trace import Failure
from jupyter_jitmagic.magics.fixed_cells import fixed_cell, without_magics
from jupyter_jitmagic.magics.front_end import TypedCell
from jupyter_jitmagic.magics.split_cells import in_pieces


@dataclass(frozen=True, slots=True)
class Placed:
    """A cell with a fix in it: its text before and after, and what of the fix belongs elsewhere, as names with their files."""

    cell: TypedCell
    after: str
    elsewhere: dict[str, str]

    @property
    def before(self) -> str:
        return self.cell.text


def placed(shell: Any, failure: Failure, fix: Fix) -> Placed | None:
    """The cell that takes a fix; None if it belongs in no cell.

    Raises:
        OptionError: the function is in a cell that has no place for it; one line that says why.
    """
    files = files_of(failure, fix)
    sources = fix.rewrite.sources if fix.rewrite else {}
    static = fix.static_argnames or fix.static_argnums
    problem: OptionError | None = None
    for cell, filename in _cells(shell, failure, set(files.values()), bool(static)):
        typed = textwrap.dedent(cell.text) if cell.text.lstrip("\n")[:1].isspace() else cell.text  # as IPython runs it
        here = {name: source for name, source in sources.items() if files[name] == filename}
        if sources and not here and not (static and filename == failure.filename):
            continue
        try:
            lines = _lines(typed, failure, fix, filename)
            text = fixed_cell(typed, without_magics(typed), fix, failure.diagnosis.function, here, shell.user_ns, lines)
            if fix.rewrite is not None and fix.rewrite.pieces:
                text = in_pieces(text, typed, failure.diagnosis.function, fix.rewrite.pieces, shell.user_ns)
        except OptionError as error:
            problem = problem or error
            continue
        return Placed(cell, text, {name: file for name, file in files.items() if name not in here})
    if problem is not None and front_end.cell_number(shell, failure.filename) is not None:
        raise problem
    return None


def _cells(shell: Any, failure: Failure, files: Collection[str], static: bool) -> Iterator[tuple[TypedCell, str]]:
    """The cells that may take a fix, each with the file whose statements it holds ("" for none): that of the function, the one
    that failed, those of the helpers that are changed, and for a static argument any that speaks of jit."""
    own = front_end.typed_cell(shell, failure.filename)
    yield (own or failure.cell), failure.filename
    if own is not None and own.text != failure.cell.text:
        yield failure.cell, ""
    if not static:
        helpers = ((front_end.typed_cell(shell, file), file) for file in sorted(files) if file != failure.filename)
        yield from ((cell, file) for cell, file in helpers if cell is not None)
        return
    name = failure.diagnosis.function.rpartition(".")[2]
    yield from ((cell, "") for cell in front_end.typed_cells(shell) if "jit" in cell.text and name in cell.text)


def _lines(typed: str, failure: Failure, fix: Fix, filename: str) -> list[int]:
    """The lines of the cell as typed at which the function begins that ran, and at which the fix changes something."""
    changes = fix.rewrite.changes if fix.rewrite else ()
    ran = [change.line for change in changes if change.filename == filename]
    if filename in ("", failure.filename):
        ran.insert(0, failure.line)
    found = (front_end.line_as_typed(typed, filename or failure.filename, each) for each in ran)
    return [line for line in found if line]


def what_jitfix_does(shell: Any, failure: Failure, fix: Fix) -> str:
    """What `%jitfix` will do with the fix, in a sentence."""
    try:
        cell = placed(shell, failure, fix)
    except OptionError as error:
        return f"`%jitfix` cannot put it into the cell: {error}."
    elsewhere = cell.elsewhere if cell else files_of(failure, fix) or {failure.diagnosis.function: failure.filename}
    places = list(dict.fromkeys(place_of(shell, filename) for filename in elsewhere.values()))
    if cell is None:
        return f"`%jitfix` shows the change, which belongs in {' and '.join(places)}."
    if places and cell.after != cell.before:
        return f"`%jitfix` puts what belongs there into the cell, and shows what belongs in {' and '.join(places)}."
    return "`%jitfix` puts it into the cell."


def files_of(failure: Failure, fix: Fix) -> dict[str, str]:
    """The statements of a rewrite by name, each with the file that it belongs in."""
    return {name: fix.rewrite.filenames.get(name, failure.filename) for name in fix.rewrite.sources} if fix.rewrite else {}


def place_of(shell: Any, filename: str) -> str:
    number = front_end.cell_number(shell, filename)
    return f"cell [{number}]" if number is not None else filename
