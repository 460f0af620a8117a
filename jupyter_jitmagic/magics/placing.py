"""Into which cell a fix belongs, and what of it belongs elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.diagnosis.fixes import Fix
from jupyter_jitmagic.diagnosis.types import Rewrite
from jupyter_jitmagic.magics import front_end
from jupyter_jitmagic.magics.cell_names import Names
from jupyter_jitmagic.magics.failed_trace import Failure
from jupyter_jitmagic.magics.fixed_cells import defines, fixed_cell, without_magics
from jupyter_jitmagic.magics.front_end import TypedCell
from jupyter_jitmagic.magics.jit_calls import Sought, calls_given
from jupyter_jitmagic.magics.joined_cells import with_above
from jupyter_jitmagic.magics.made_of import made_of
from jupyter_jitmagic.magics.split_cells import in_pieces

_LONGEST_LINE = 100


@dataclass(frozen=True, slots=True)
class Placed:
    """A cell with a fix in it: its text before and after, and what of the fix belongs elsewhere, as names with their files.

    `above` is what was brought here from other cells, as names with their files.
    `then` is what is to be done in other cells, where something is made of what is changed; "" if nothing is.
    """

    cell: TypedCell
    after: str
    elsewhere: dict[str, str]
    then: str = ""
    above: dict[str, str] = field(default_factory=dict)

    @property
    def before(self) -> str:
        return self.cell.text


def placed(shell: Any, failure: Failure, fix: Fix) -> Placed | None:
    """The cell that takes a fix, with what the fix changes in cells before it above; None if it belongs in no cell.

    Raises:
        OptionError: the function is in a cell that has no place for it; one line that says why.
    """
    problem: OptionError | None = None
    try:
        found = _in_one_cell(shell, failure, fix)
    except OptionError as error:
        found, problem = None, error
    jitted = None
    if fix.rewrite is not None and (found is None or fix.rewrite.brings_its_jit):
        jitted = _where_it_is_jitted(shell, failure, fix)
    if jitted is not None:
        found = _with_the_rest_above(shell, jitted, fix) or found
    elif found is not None:
        found = _with_the_rest_above(shell, found, fix) or found
    if found is not None and fix.rewrite is not None:
        found = _with_what_is_made_again(shell, failure, fix.rewrite, found)
    if found is None and problem is not None and front_end.cell_number(shell, failure.filename) is not None:
        raise problem
    return found


def _in_one_cell(shell: Any, failure: Failure, fix: Fix) -> Placed | None:
    """The cell that takes a fix, and what of it does not belong there; None if it belongs in no cell.

    Raises:
        OptionError: those that it belongs in have no place for it; one line that says why.
    """
    files = files_of(failure, fix)
    sources = fix.rewrite.sources if fix.rewrite else {}
    static = fix.static_argnames or fix.static_argnums
    brings = fix.rewrite is not None and fix.rewrite.brings_its_jit
    problem: OptionError | None = None
    for cell, filename in _cells(shell, failure, set(files.values()), bool(static)):
        here = {name: source for name, source in sources.items() if files[name] == filename}
        if sources and not here and not ((static or brings) and filename == failure.filename):
            continue
        try:
            text = _fixed(shell, failure, fix, cell, filename, here)
        except OptionError as error:
            problem = problem or error
            continue
        if brings and not here and text == front_end.as_python(cell.text):
            continue  # another cell puts it under jit
        elsewhere = {name: file for name, file in files.items() if name not in here}
        return Placed(cell, text, elsewhere, _then(shell, failure, fix, cell))
    if problem is not None:
        raise problem
    return None


def _fixed(shell: Any, failure: Failure, fix: Fix, cell: TypedCell, filename: str, here: Mapping[str, str]) -> str:
    """The text of a cell with what belongs `here` in it, and with the static arguments, or without the jit, where it has one.

    Raises:
        OptionError: the cell has no place for it; one line that says why.
    """
    typed = front_end.as_python(cell.text)
    lines, function = _lines(typed, failure, fix, filename), failure.diagnosis.function
    where = failure.filename, failure.line
    text = fixed_cell(typed, without_magics(typed), fix, function, here, shell.user_ns, lines, where)
    if fix.rewrite is not None and fix.rewrite.brings_its_jit:
        return in_pieces(text, typed, function, fix.rewrite.pieces if here else (), shell.user_ns, where)
    return text


def _where_it_is_jitted(shell: Any, failure: Failure, fix: Fix) -> Placed | None:
    """A later cell than the function's that puts it under jit, with the option there, or without that jit where the fix brings
    its own."""
    own = front_end.typed_cell(shell, failure.filename)
    jitting = _jitting(shell, failure, own) if own is not None else None
    if jitting is None:
        return None
    try:
        return Placed(jitting, _fixed(shell, failure, fix, jitting, "", {}), files_of(failure, fix))
    except OptionError:
        return None


def _with_the_rest_above(shell: Any, found: Placed, fix: Fix) -> Placed | None:
    """The cell with what the fix changes in cells before it above; None where that cannot stand there."""
    numbers = {name: front_end.cell_number(shell, file) for name, file in found.elsewhere.items()}
    above = {name: file for name, file in found.elsewhere.items() if numbers[name] is not None}
    if not above or fix.rewrite is None:
        return found
    if any((number or 0) > (found.cell.number or 0) for number in numbers.values()):
        return None  # that cell would define again what it does now
    try:
        text = with_above(found.after, {name: fix.rewrite.sources[name] for name in above}, shell.user_ns)
    except OptionError:
        return None
    elsewhere = {name: file for name, file in found.elsewhere.items() if name not in above}
    return Placed(found.cell, text, elsewhere, found.then, above)


def _with_what_is_made_again(shell: Any, failure: Failure, rewrite: Rewrite, found: Placed) -> Placed:
    """The same, told which cells are to be run again, as they made something of what is changed."""
    names = {name.partition(".")[0] for name in rewrite.sources}
    cells = [
        each
        for each in reversed(list(front_end.typed_cells(shell)))
        if each.number not in (found.cell.number, failure.cell.number)
    ]
    again: dict[int, list[str]] = {}
    for made in made_of(names, cells, shell.user_ns):
        if f"cell [{made.cell}]" not in found.then:
            again.setdefault(made.cell, []).append(f"`{made.name}` of `{made.of}`")
    said = [f"Then run cell [{number}] again, which makes {' and '.join(made)}." for number, made in again.items()]
    return replace(found, then=" ".join(filter(None, (*said, found.then))))


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
    """The latest cell after the function's `own` that puts it under jit by a call, while its name still means it; of a function
    of a file, any that does."""
    name = failure.diagnosis.function.rpartition(".")[2] if own is not None else ""
    since = (own.number or 0) if own is not None else 0
    sought = Sought(name, failure.filename, failure.line, shell.user_ns)
    latest = None
    for cell in reversed([each for each in front_end.typed_cells(shell) if (each.number or 0) > since]):
        if name and defines(cell.text, name):
            break
        if "jit" in cell.text and _puts_under_jit(cell.text, sought):
            latest = cell
    return latest


def _puts_under_jit(text: str, sought: Sought) -> bool:
    """Whether a cell puts the function under jit by a call."""
    try:
        tree = ast.parse(without_magics(text))
    except SyntaxError:
        return False
    return bool(calls_given(tree, sought, Names(tree, sought.namespace)))


def _then(shell: Any, failure: Failure, fix: Fix, cell: TypedCell) -> str:
    """What `Placed.then` says of the jit: a jitted function is the function as it was when it was put under jit."""
    own = front_end.typed_cell(shell, failure.filename) or cell
    brings = fix.rewrite is not None and fix.rewrite.brings_its_jit
    jitting = _jitting(shell, failure, own) if brings or own.number == cell.number else None
    if fix.rewrite is None or jitting is None or jitting.number in (None, cell.number, failure.cell.number):
        return ""
    name = failure.diagnosis.function.rpartition(".")[2]
    if brings:
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
    above = " and ".join(f"`{name}` of {place_of(shell, file)}" for name, file in cell.above.items())
    with_it = f", with {above} above" if above else ""
    puts = f"`%jitfix` puts it into {f'cell [{cell.cell.number}]' if other else 'the cell'}{with_it}."
    return f"{puts} {cell.then}" if cell.then else puts


def option_as_typed(shell: Any, failure: Failure, fix: Fix) -> str:
    """The line with the static arguments as it stands in the fixed cell: ``fast = jax.jit(f, static_argnames="n")``; "" where
    there is none, or several."""
    try:
        cell = placed(shell, failure, fix)
    except OptionError:
        return ""
    before = cell.before.splitlines() if cell else []
    new = [line.strip() for line in (cell.after.splitlines() if cell else []) if "static_arg" in line and line not in before]
    return new[0] if len(new) == 1 and len(new[0]) <= _LONGEST_LINE else ""


def files_of(failure: Failure, fix: Fix) -> dict[str, str]:
    """The statements of a rewrite by name, each with the file that it belongs in."""
    return {name: fix.rewrite.filenames.get(name, failure.filename) for name in fix.rewrite.sources} if fix.rewrite else {}


def place_of(shell: Any, filename: str) -> str:
    number = front_end.cell_number(shell, filename)
    return f"cell [{number}]" if number is not None else filename
