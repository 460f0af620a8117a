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
from jupyter_jitmagic.magics.fixed_cells import fixed_cell, puts_under_jit, without_magics
from jupyter_jitmagic.magics.front_end import TypedCell
from jupyter_jitmagic.magics.split_cells import in_pieces


@dataclass(frozen=True, slots=True)
class Placed:
    """A cell with a fix in it: its text before and after, and what of the fix belongs elsewhere, as names with their files.

    `then` is what is to be done in another cell, where the function is put under jit; "" if nothing is.
    """

    cell: TypedCell
    after: str
    elsewhere: dict[str, str]
    then: str = ""

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
        elsewhere = {name: file for name, file in files.items() if name not in here}
        return Placed(cell, text, elsewhere, _then(shell, failure, fix, cell))
    if problem is not None and front_end.cell_number(shell, failure.filename) is not None:
        raise problem
    return None


def _cells(shell: Any, failure: Failure, files: Collection[str], static: bool) -> Iterator[tuple[TypedCell, str]]:
    """The cells that may take a fix, each with the file whose statements it holds ("" for none): that of the function, the one
    that failed, those of the helpers that are changed, and for a static argument the latest that puts it under jit."""
    own = front_end.typed_cell(shell, failure.filename)
    yield (own or failure.cell), failure.filename
    if own is not None and own.text != failure.cell.text:
        yield failure.cell, ""
    if not static:
        helpers = ((front_end.typed_cell(shell, file), file) for file in sorted(files) if file != failure.filename)
        yield from ((cell, file) for cell, file in helpers if cell is not None)
        return
    jitting = _jitting(shell, failure, own)
    if jitting is not None:
        yield jitting, ""


def _jitting(shell: Any, failure: Failure, own: TypedCell | None) -> TypedCell | None:
    """The latest cell after the function's `own` that puts it under jit by a call; for a function of a file, which stands by
    itself under its name in the notebook, any."""
    name, since = failure.diagnosis.function.rpartition(".")[2], (own.number or 0) if own is not None else 0
    code = getattr(shell.user_ns.get(name), "__code__", None)
    if own is None and (getattr(code, "co_filename", ""), getattr(code, "co_firstlineno", 0)) != (
        failure.filename,
        failure.line,
    ):
        return None
    later = (cell for cell in front_end.typed_cells(shell) if (cell.number or 0) > since and "jit" in cell.text)
    return next((cell for cell in later if puts_under_jit(cell.text, name, shell.user_ns)), None)


def _then(shell: Any, failure: Failure, fix: Fix, cell: TypedCell) -> str:
    """What `Placed.then` says: a jitted function is the function as it was when it was put under jit."""
    jitting = _jitting(shell, failure, cell) if fix.rewrite is not None else None
    if jitting is None or jitting.number in (None, cell.number, failure.cell.number):
        return ""
    name = failure.diagnosis.function.rpartition(".")[2]
    if fix.rewrite is not None and fix.rewrite.pieces:
        return f"Take jit off `{name}` in cell [{jitting.number}]."
    return f"Then run cell [{jitting.number}] again, which puts `{name}` under jit."


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
    other = cell.cell.number is not None and cell.cell.number != failure.cell.number
    puts = f"`%jitfix` puts it into {f'cell [{cell.cell.number}]' if other else 'the cell'}."
    return f"{puts} {cell.then}" if cell.then else puts


def files_of(failure: Failure, fix: Fix) -> dict[str, str]:
    """The statements of a rewrite by name, each with the file that it belongs in."""
    return {name: fix.rewrite.filenames.get(name, failure.filename) for name in fix.rewrite.sources} if fix.rewrite else {}


def place_of(shell: Any, filename: str) -> str:
    number = front_end.cell_number(shell, filename)
    return f"cell [{number}]" if number is not None else filename
