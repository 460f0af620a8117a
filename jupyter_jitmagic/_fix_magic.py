"""`%jitfix`: a fix of the last failed trace, put into the cell that asks for it."""

from __future__ import annotations

from typing import Any

from jupyter_jitmagic import _shell
from jupyter_jitmagic._display import Document
from jupyter_jitmagic._display._advice import diff_lines, proof, way
from jupyter_jitmagic._display._model import Block, Diff, Heading, Paragraph
from jupyter_jitmagic._errors import OptionError
from jupyter_jitmagic._failures import Failure, Failures, failed_call, last_error
from jupyter_jitmagic._fixes import Fix, fixes
from jupyter_jitmagic._jitfix import fixed_cell


def run(shell: Any, failures: Failures, number: int) -> None:
    """Replace the asking cell by the failed one with fix `number` in it, and show what belongs elsewhere.

    Raises:
        OptionError: no trace failed, there is no such fix, or the cell has no place for it.
    """
    failure = failures.last or _diagnosed_now(failures)
    found = fixes(failure.diagnosis)
    if not found:
        raise OptionError(f"nothing is known that makes {failure.diagnosis.function} trace")
    if number > len(found):
        ways = ", ".join(f"{fix.number}: {way(fix)}" for fix in found)
        raise OptionError(f"there is no fix {number} ({ways})")
    _apply(shell, failure, found[number - 1])


def _diagnosed_now(failures: Failures) -> Failure:
    """The last error was under plain `jax.jit`, which only got a hint: diagnose it now and show the advice."""
    error = last_error()
    call = failed_call(error) if error is not None else None
    if error is None or call is None:
        raise OptionError("no trace has failed; this puts the fix into the cell after one has")
    failure = failures.explain(call, error, failures.failed_cell, always=True)
    if failure is None:
        raise OptionError("the function traces now; run the cell again")
    return failure


def _apply(shell: Any, failure: Failure, fix: Fix) -> None:
    sources = fix.rewrite.sources if fix.rewrite else {}
    files = {name: fix.rewrite.filenames.get(name, failure.filename) if fix.rewrite else "" for name in sources}
    cells = [text for text in (_shell.typed_cell(shell, failure.filename), failure.cell) if text]
    problem: OptionError | None = None
    for place, typed in enumerate(dict.fromkeys(cells)):
        here = {name: source for name, source in sources.items() if files[name] == failure.filename and place == 0}
        if sources and not here:
            continue
        try:
            text = fixed_cell(typed, _ran(typed), fix, failure.diagnosis.function, here, shell.user_ns)
        except OptionError as error:
            problem = problem or error
            continue
        shell.set_next_input(text, replace=True)
        _say(shell, fix, {name: file for name, file in files.items() if name not in here})
        return
    if problem is not None and _shell.cell_number(shell, failure.filename) is not None:
        raise problem
    _say(shell, fix, files or {failure.diagnosis.function: failure.filename}, put=False)


def _ran(typed: str) -> str:
    """The cell with magics and shell lines blanked, which keeps every line's number."""
    lines = []
    for line in typed.splitlines():
        start = line.lstrip()[:1]
        lines.append("" if start in ("%", "!", "?") else line)
    return "\n".join(lines)


def _say(shell: Any, fix: Fix, elsewhere: dict[str, str], *, put: bool = True) -> None:
    done = f"Fix {fix.number} is in the cell" if put else f"Fix {fix.number}"
    blocks: list[Block] = [Heading(f"{done}: {way(fix)}", proof(fix), "good" if fix.proof != "unverified" else "plain")]
    if elsewhere:
        places = ", ".join(f"`{name}` in {_where(shell, filename)}" for name, filename in elsewhere.items())
        blocks.append(Paragraph(f"{'Change also' if put else 'Change'} {places}:"))
        if fix.rewrite:
            blocks.append(Diff(tuple(diff_lines(fix.rewrite.diff))))
        if fix.static_argnames:
            blocks.append(Paragraph(f"Static: {', '.join(f'`{name}`' for name in fix.static_argnames)}"))
    _shell.show(shell, Document.of(blocks))


def _where(shell: Any, filename: str) -> str:
    number = _shell.cell_number(shell, filename)
    return f"cell [{number}]" if number is not None else filename
