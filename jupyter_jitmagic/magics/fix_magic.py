"""`%jitfix`: a fix of the last failed trace, put into the cell that asks for it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.diagnosis.fixes import Fix, fixes
from jupyter_jitmagic.display import Document
from jupyter_jitmagic.display.advice import diff_lines, proof, way
from jupyter_jitmagic.display.model import Block, Diff, Heading, Paragraph
from jupyter_jitmagic.live.question_answers import number_in
from jupyter_jitmagic.magics import front_end
from jupyter_jitmagic.magics.defined_since import defined_since, reached
from jupyter_jitmagic.magics.failed_trace import Failure
from jupyter_jitmagic.magics.failures import Failures, failed_call, failed_engine, last_error, left_behind
from jupyter_jitmagic.magics.placing import Placed, files_of, place_of, placed


def run(shell: Any, failures: Failures, number: int) -> None:
    """Replace the asking cell by the failed one with fix `number` in it, and show what belongs elsewhere; after
    `%jitlines --roll` by that function's, with its loop as one; after a trace failed on engines by the one that was sent there.

    Raises:
        OptionError: no trace failed, there is no such fix, or the cell has no place for it.
    """
    if failures.last is None and failures.rolled is not None:
        from jupyter_jitmagic.magics import rolled_cell

        rolled_cell.put(shell, failures.rolled)
        return
    if failures.last is None and (engine := failed_engine(last_error())) is not None:
        from jupyter_jitmagic.magics import engines_cell

        engines_cell.fix(shell, failures, number, engine)
        return
    cell, said = _fixed(shell, failures, number)
    if cell is not None:
        shell.set_next_input(cell.after, replace=True)
    front_end.show(shell, said)


def told(number: int) -> dict[str, Any]:
    """What an engine tells of fix `number` of its last failed trace: the cell before and after, and what is said of it."""
    from IPython import get_ipython

    from jupyter_jitmagic.processes.levels import whoami

    shell = get_ipython()
    magics = shell.magics_manager.registry.get("JitMagics")
    answer: dict[str, Any] = {"about": whoami(), "wrong": "", "cell": None, "said": None}
    try:
        if magics is None:
            raise OptionError("jupyter_jitmagic is not loaded there: %px %load_ext jupyter_jitmagic")
        cell, said = _fixed(shell, magics.failures, number)
    except OptionError as error:
        return answer | {"wrong": str(error)}
    return answer | {"cell": (cell.before, cell.after) if cell else None, "said": said}


def _fixed(shell: Any, failures: Failures, number: int) -> tuple[Placed | None, Document]:
    failure = failures.last or _diagnosed_now(shell, failures)
    found = fixes(failure.diagnosis)
    if not found:
        if failure.diagnosis.verified:
            raise OptionError(f"what makes {failure.diagnosis.function} trace is said above, and is to be done by hand")
        plain = "; plain Python runs this call: leave jit off" if failure.diagnosis.runs_plainly else ""
        raise OptionError(f"nothing is known that makes {failure.diagnosis.function} trace{plain}")
    if number > len(found):
        ways = ", ".join(f"{fix.number}: {way(fix)}" for fix in found)
        raise OptionError(f"there is no fix {number} ({ways})")
    fix = found[number - 1]
    _refuse_if_defined_since(shell, failure, found, fix)
    cell = placed(shell, failure, fix)
    if cell is not None:
        return cell, _said(shell, fix, cell.elsewhere, then=cell.then)
    return None, _said(shell, fix, files_of(failure, fix) or {failure.diagnosis.function: failure.filename}, put=False)


def _refuse_if_defined_since(shell: Any, failure: Failure, found: list[Fix], fix: Fix) -> None:
    """A cell that was edited and run again without failing, or a helper's, holds what the fix was not made for; what it calls
    and leaves as it is was another when it was proven."""
    if fix.rewrite is None or failure.cell.number is None:
        return
    offered = [source for each in found if each.rewrite is not None for source in each.rewrite.sources.values()]
    cells = [*front_end.typed_cells(shell)]
    names = reached(fix.rewrite.sources, cells, failure.cell.number)
    since = defined_since(names, offered, cells, failure.cell.number)
    if since is not None:
        raise OptionError(f"cell [{since.cell}] defines {since.name} otherwise since; run what failed again for a fix of that")


def _diagnosed_now(shell: Any, failures: Failures) -> Failure:
    """The last error was under plain `jax.jit`, which only got a hint: diagnose it now and show the advice."""
    error = last_error()
    call = failed_call(error) if error is not None else None
    if error is None:
        raise OptionError("no trace has failed; this puts the fix into the cell after one has")
    if call is None and (left := left_behind(shell, error)):
        raise OptionError(left.removesuffix("."))
    if call is None:
        named = type(error).__name__
        raise OptionError(f"the last failure was no trace ({named}); run the cell whose trace fails again")
    failure = failures.explain(call, error, failures.failed_cell, always=True)
    if failure is None:
        raise OptionError("the function traces: what failed was something else, or has been fixed since; run the cell again")
    return failure


def for_panel(shell: Any, failures: Failures, args: Mapping[str, object]) -> dict[str, object]:
    """The panel's question "fixes": every way out of the failed trace of row `diagnosis`, with the cell before and after."""
    failure = failures.by_record.get(number_in(args, "diagnosis"))
    if failure is None:
        raise OptionError("this advice is too old to be put into a cell; run the cell again")
    parts = []
    for fix in fixes(failure.diagnosis):
        try:
            cell = placed(shell, failure, fix)
        except OptionError:
            cell = None
        change = difflib.unified_diff(cell.before.splitlines(), cell.after.splitlines(), lineterm="", n=2) if cell else ()
        lines = list(change)[3:] if cell else diff_lines(fix.rewrite.diff) if fix.rewrite else []
        parts.append(
            {
                "number": fix.number,
                "way": way(fix),
                "proof": proof(fix),
                "diff": "\n".join(lines),
                "cell": cell.cell.number if cell else None,
                "cell_id": cell.cell.id if cell else "",
                "before": cell.before if cell else None,
                "after": cell.after if cell else None,
                "elsewhere": [f"{name} in {place_of(shell, file)}" for name, file in (cell.elsewhere if cell else {}).items()],
            }
        )
    return {"fixes": parts}


def _said(shell: Any, fix: Fix, elsewhere: dict[str, str], *, put: bool = True, then: str = "") -> Document:
    where = "is in the cell" if front_end.in_kernel(shell) else "is at the next prompt"
    done = f"Fix {fix.number} {where}" if put else f"Fix {fix.number}"
    blocks: list[Block] = [Heading(f"{done}: {way(fix)}", proof(fix), "good" if fix.proof != "unverified" else "plain")]
    if then:
        blocks.append(Paragraph(then))
    if elsewhere:
        places = ", ".join(f"`{name}` in {place_of(shell, filename)}" for name, filename in elsewhere.items())
        blocks.append(Paragraph(f"{'Change also' if put else 'Change'} {places}:"))
        if fix.rewrite:
            blocks.append(Diff(tuple(diff_lines(fix.rewrite.diff))))
        if fix.static_argnames:
            blocks.append(Paragraph(f"Static: {', '.join(f'`{name}`' for name in fix.static_argnames)}"))
    return Document.of(blocks)
