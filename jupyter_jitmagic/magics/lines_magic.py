"""`%jitlines` and `%%jit --lines`: where the time of jitted functions goes, on their own source."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.by_line import measuring, profiling, programs
from jupyter_jitmagic.by_line.measuring import Report, Target
from jupyter_jitmagic.display import lines as _lines_display
from jupyter_jitmagic.magics import front_end
from jupyter_jitmagic.recording.calls import functions

if TYPE_CHECKING:
    from jupyter_jitmagic.magics.failures import Failures

SHOWN = 10
"""Functions of one statement."""


def run(shell: Any, line: str, failures: Failures) -> BaseException | None:
    """Do what the line says; returns what the statement raised, its traceback beginning at the statement.

    `failures` keeps a loop that was tried as one for `%jitfix`.

    Raises:
        OptionError: no such function, nothing known of it, a profile that is being taken already; one line.
        SyntaxError: the statement's.
    """
    if re.match(r"--roll\s", line):
        _roll(shell, line.partition(" ")[2].strip(), failures)
        return None
    targets, statement = _read(shell, line)
    if not statement:
        _show(shell, [measuring.unmeasured(target) for target in targets or _every()])
        return None
    code = shell.transform_cell(statement)
    filename = shell.compile.cache(code, shell.execution_count, raw_code=statement)
    program = compile(code, filename, "exec")
    try:
        reports = measuring.measured(lambda: exec(program, shell.user_ns), targets)
    except BaseException as error:
        if (begin := _from(filename, error.__traceback__)) is None:
            raise  # not the statement's
        return error.with_traceback(begin)
    _show(shell, reports)
    return None


def told(line: str) -> dict[str, Any]:
    """What an engine tells of a statement that it runs in its own names: who it is, and the reports."""
    from IPython import get_ipython

    from jupyter_jitmagic.processes.levels import whoami

    shell = get_ipython()
    targets, statement = _read(shell, line)
    if not statement:
        raise OptionError("give a statement to run")
    program = compile(shell.transform_cell(statement), "<%jitlines --engines>", "exec")
    return {"about": whoami(), "reports": measuring.measured(lambda: exec(program, shell.user_ns), targets)}


def _from(filename: str, traceback: TracebackType | None) -> TracebackType | None:
    """The traceback from the statement on, None if it is not in it."""
    begin = traceback
    while begin is not None and begin.tb_frame.f_code.co_filename != filename:
        begin = begin.tb_next
    return begin


def _roll(shell: Any, text: str, failures: Failures) -> None:
    """The loop that most of a function's program is, as one loop of `lax`: tried with the arguments of the call given."""
    from jupyter_jitmagic.by_line.rolling import rolled
    from jupyter_jitmagic.magics.rolled_cell import what_jitfix_does

    try:
        call = ast.parse(text, mode="eval").body
    except SyntaxError:
        call = None
    if not isinstance(call, ast.Call):
        raise OptionError("--roll takes a call, as in `%jitlines --roll step(x)`")
    given = ast.Call(ast.Name("_jitlines_given", ast.Load()), [call.func, *call.args], call.keywords)
    space = {**shell.user_ns, "_jitlines_given": lambda fun, *args, **kwargs: (fun, args, kwargs)}
    tree = ast.fix_missing_locations(ast.Expression(given))
    fun, args, kwargs = eval(compile(tree, "<%jitlines --roll>", "eval"), space)  # noqa: S307 (the user's own call)
    entries = [programs.latest_entry(record) for record in programs.living() if _is_its_record(record, fun)]
    times = [(entry.trace_s, entry.lower_s, entry.compile_s) for entry in entries if entry is not None]
    known = next((sum(filter(None, phases)) for phases in times if None not in phases), None)
    found = rolled(fun, args, kwargs, known)
    failures.last, failures.rolled = None, found
    front_end.show(shell, _lines_display.rolled(found, jitfix=what_jitfix_does(shell, found)))


def _is_its_record(record: Any, fun: Any) -> bool:
    state = functions.state_of(record.id)
    return state is not None and state is getattr(fun, "_state", None)


def _show(shell: Any, reports: list[Report]) -> None:
    for report in reports[:SHOWN]:
        front_end.show(shell, _lines_display.document(report, lambda file, line: front_end.place(shell, file, line)))


def _read(shell: Any, line: str) -> tuple[list[Target], str]:
    """The functions that the line names, and the statement after them."""
    targets: list[Target] = []
    rest = line.strip()
    while (word := re.match(r"([A-Za-z_][\w.]*)(?:\s*,\s*|\s+|$)(?![=,])", rest)) and (found := _targets(shell, word[1])):
        targets += found
        rest = rest[word.end() :]
    if re.fullmatch(r"[A-Za-z_][\w.]*", rest):
        has = ", ".join(sorted(record.name for record in programs.living())) or "none"
        raise OptionError(f"no jitted function is called {rest} (there are: {has})")
    return targets, rest


def _targets(shell: Any, name: str) -> list[Target]:
    if recorded := [measuring.target_named(record) for record in programs.named(name)]:
        return recorded
    first, *rest = name.split(".")
    fun = shell.user_ns.get(first)
    for attribute in rest:
        fun = getattr(fun, attribute, None)
    has_source = hasattr(fun, "__code__") or hasattr(fun, "__wrapped__")
    return [measuring.target_of(fun)] if callable(fun) and has_source else []


def _every() -> list[Target]:
    found = [measuring.target_named(record) for record in programs.living() if programs.latest_entry(record)]
    if not found:
        raise OptionError("nothing recorded yet: put %%jit over a cell with a function and call it, or give a statement")
    return found[:SHOWN]


_open: list[Callable[[Any], None]] = []


def begin() -> None:
    """The first statement of a ``%%jit --lines`` cell: look until the cell has ended."""
    import builtins

    shell = builtins.get_ipython()  # type: ignore[attr-defined]
    profiler = profiling.Profiler()
    started = False

    def ended(result: Any) -> None:
        shell.events.unregister("post_run_cell", ended)
        if ended in _open:
            _open.remove(ended)
        if not started:
            return
        if result is not None and not result.success:
            profiler.drop()
            return
        with _told_in_one_line(shell):
            _show(shell, measuring.reported(profiler.stop(), []))

    # Ctrl-C may come anywhere: what ends it is there before it begins
    shell.events.register("post_run_cell", ended)
    _open.append(ended)
    with _told_in_one_line(shell):
        profiler.start()
        started = True


def end() -> None:
    """Ends what is still open, where no cell will: the magic was called from code."""
    for ended in tuple(_open):
        ended(None)


@contextmanager
def _told_in_one_line(shell: Any) -> Iterator[None]:
    """The cell has run: what cannot be shown of it is a line, no error."""
    from jupyter_jitmagic.display import Document
    from jupyter_jitmagic.display.model import Paragraph

    try:
        yield
    except OptionError as error:
        front_end.show(shell, Document.of([Paragraph(f"%%jit --lines: {error}", "dim")]))
