"""A function's lines with what each costs: measured while something runs, or as far as it is known without running."""

from __future__ import annotations

import functools
import linecache
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import jax

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.base.wording import duration
from jupyter_jitmagic.by_line import attribution, hlo, own_times, profiling, programs
from jupyter_jitmagic.by_line.attribution import NOWHERE, Figures, Key
from jupyter_jitmagic.by_line.equations import Equation, equations, lines_alone, repeats
from jupyter_jitmagic.by_line.own_times import NOT_RUN
from jupyter_jitmagic.by_line.sources import Source, Written, written_as
from jupyter_jitmagic.records.log import EntryRecord, FunctionRecord
from jupyter_jitmagic.usercode.origin import file_of, line_of
from jupyter_jitmagic.usercode.ownership import is_library, is_users


@dataclass(frozen=True)
class Line:
    """A line of source, or an operation where there is no source; what is None is not known."""

    function: str
    line: int | None
    code: str
    figures: Figures | None = None
    equations: int | None = None
    repeats: int | None = None


@dataclass
class Report:
    """The lines of one or more functions, in the order in which they are shown."""

    name: str = ""
    """Of the jitted function."""
    lines: list[Line] = field(default_factory=list)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By function: its file and first line."""
    measured: bool = False
    calls: int = 0
    devices: dict[str, float] = field(default_factory=dict)
    """Seconds a call by device."""
    notes: list[str] = field(default_factory=list)
    """What a reader must know, a sentence each."""


class Target(NamedTuple):
    """A function that is asked about."""

    name: str
    written: Written | None
    record: FunctionRecord | None = None

    def ran_in(self, program: hlo.Program) -> bool:
        if self.written is None:
            return program.is_of(self.name)
        return any(self.written.has(place.file, place.line) for place in program.own_places)


def target_of(fun: Any) -> Target:
    """A function, jitted or plain, as something to ask about."""
    plain = fun
    while inner := getattr(plain, "__wrapped__", None) or (plain.func if isinstance(plain, functools.partial) else None):
        plain = inner
    if not hasattr(plain, "__code__") and hasattr(type(plain).__call__, "__code__"):
        plain = type(plain).__call__
    code = getattr(plain, "__code__", None)
    name = getattr(plain, "__qualname__", type(plain).__name__)
    return Target(
        name,
        Source(file_of(plain)).at(line_of(plain))
        or (written_as(code) if code is not None and code.co_filename != "<string>" else None),
    )


def target_named(record: FunctionRecord) -> Target:
    """A recorded function as something to ask about."""
    return Target(record.name, Source(record.filename).at(record.line), record)


def measured(call: Callable[[], Any], targets: Sequence[Target], traced: Any = None, *, alone: bool = False) -> list[Report]:
    """Run something under the profiler: see `reported`.

    Raises:
        OptionError: one line: a profile is being taken already, or nothing of what was asked about ran.
        Exception: what `call` raises, as it is.
    """
    return reported(_profiled(call), targets, traced, alone=alone)


def _profiled(call: Callable[[], Any]) -> profiling.Profile:
    profiler = profiling.Profiler()
    profiler.start()
    try:
        call()
    except BaseException:
        profiler.drop()
        raise
    return profiler.stop()


def reported(profile: profiling.Profile, targets: Sequence[Target], traced: Any = None, *, alone: bool = False) -> list[Report]:
    """What was seen, on the lines that it came from.

    Args:
        profile: what was seen.
        targets: the functions asked about; every jitted function that ran if there are none.
        traced: the closed jaxpr of the one function asked about, where the caller has it.
        alone: nothing else ran, so that all that ran is the function's, also where no line of it is known.

    Returns:
        A report for each jitted function, the one that took longest first.

    Raises:
        OptionError: one line: nothing of what was asked about ran.
    """
    by_function: dict[tuple[object, ...], list[programs.Execution]] = {}
    elsewhere = unread = 0.0
    ran = [_likeliest(execution, targets) for execution in programs.executions(profile.events)]
    if alone and not any(each.ran_in(execution.program) for each in targets for execution in ran if execution.program):
        targets = []
        for execution in ran:
            if execution.program is not None:
                by_function.setdefault((execution.module,), []).append(execution)
    for execution in ran if not by_function else ():
        seconds = sum(event.end - event.start for event in execution.events) / 1e9
        if execution.program is None:
            unread += seconds
        elif any(each.ran_in(execution.program) for each in targets) if targets else _is_of_user(execution):
            by_function.setdefault((execution.module, *_written_in(execution.program)), []).append(execution)
        else:
            elsewhere += seconds
    if not by_function:
        raise OptionError(_nothing_ran(targets, profile.events, unread))
    reports = [_report(group[0].module, group, targets, traced) for group in by_function.values()]
    reports.sort(key=lambda report: -report.calls * sum(report.devices.values()))
    reports[-1].notes += _notes(elsewhere, unread, profile)
    return reports


def _likeliest(execution: programs.Execution, targets: Sequence[Target]) -> programs.Execution:
    """With the programs of what was asked about first."""
    asked = [each for each in execution.programs if any(target.ran_in(each) for target in targets)]
    return execution._replace(programs=asked or execution.programs)


def _report(module: str, group: list[programs.Execution], targets: Sequence[Target], traced: Any) -> Report:
    """What the calls of one jitted function came to, for one of them."""
    seen = [
        (device, execution.program, what)
        for execution in group
        if execution.program is not None
        for device, what in own_times.executed(execution.events, execution.program).items()
    ]
    by_device: Counter[str] = Counter()
    for device, _, what in seen:
        by_device[device] += what.calls
    report = Report(module.removeprefix("jit_"), measured=True, calls=max(by_device.values()))
    asked = [each for each in targets if any(execution.program and each.ran_in(execution.program) for execution in group)]
    if not asked:
        asked = [target_named(record) for record in _records_of(module)]
    found = [traced] if traced is not None else [_jaxpr(each.record) for each in asked if each.record is not None]
    found = [each for each in found if each is not None] or _elsewhere(seen)
    made = [each for jaxpr in found for each in equations(jaxpr, is_users)]
    lines_of = lines_alone(made)
    parts = [
        (device, attribution.attributed(program, what, report.calls, is_users, lines_of)) for device, program, what in seen
    ]
    for device, lines in parts:
        report.devices[device] = report.devices.get(device, 0.0) + sum(line.execute_s for line in lines.values())
    _keep(report, asked)
    _fill(report, attribution.added([lines for _, lines in parts]), made if found else None, asked, [each[1] for each in seen])
    if any(len(execution.programs) > 1 for execution in group):
        report.notes.append("several functions of this name come to the same operations: the time may be another one's")
    if len(report.devices) > 1:
        each_device = ", ".join(f"{device}: {duration(seconds)}" for device, seconds in sorted(report.devices.items()))
        report.notes.append(f"times are sums over {len(report.devices)} devices ({each_device})")
    return report


_latest: dict[int, Report] = {}
"""By function: what was measured last; figures and lines of source, nothing that ran."""
_KEPT = 100


def latest(record: FunctionRecord) -> Report | None:
    """What was measured of a function last, if it was."""
    return _latest.get(record.id)


def _keep(report: Report, targets: Sequence[Target]) -> None:
    for target in targets:
        if target.record is not None:
            _latest.pop(target.record.id, None)
            _latest[target.record.id] = report
    while len(_latest) > _KEPT:
        del _latest[next(iter(_latest))]


def unmeasured(target: Target, entry: EntryRecord | None = None) -> Report:
    """What is known of a recorded function without running it, of an entry (else of the one used last): equations, estimates.

    Raises:
        OptionError: one line: it was never called, or JAX holds its program no more.
    """
    if target.record is None:
        raise OptionError(f"{target.name} is not recorded (%%jit and jm.jit record): give a statement that calls it")
    entry = entry or programs.latest_entry(target.record)
    if entry is None:
        raise OptionError(f"{target.name} was never called: its equations need arguments (%jitlines {target.name} STATEMENT)")
    jaxpr, program = programs.traced(entry), programs.compiled(entry)
    if jaxpr is None and program is None:
        raise OptionError(f"JAX no longer holds a program of {target.name}: call it again, or give a statement")
    report = Report(target.name)
    made = list(equations(jaxpr, is_users)) if jaxpr is not None else None
    figures = attribution.attributed(program, NOT_RUN, 1, is_users, lines_alone(made or [])) if program is not None else {}
    _fill(report, figures, made, [target], [program] if program is not None else [])
    report.notes.append(f"not run: equations and XLA's estimates of entry {entry.id}")
    if program is not None and any(each.trips is None for each in program.instructions.values()):
        report.notes.append("a loop of unknown length counts as one round in the estimates: a statement's rounds are counted")
    return report


def of_call(fun: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Report:
    """A function's lines, measured on calls with these arguments: one to compile, then some under the profiler.

    Raises:
        OptionError: one line: `fun` is no function.
        Exception: what the function raises, as it is.
    """
    if not callable(fun):
        raise OptionError(f"lines: {type(fun).__name__} is no function")
    jitted = fun if hasattr(fun, "lower") and hasattr(fun, "trace") else jax.jit(fun)
    traced = jitted.trace(*args, **kwargs)
    donated = any(getattr(info, "donated", False) for info in jax.tree_util.tree_leaves(traced.args_info))

    def call() -> Any:
        mine = _copied((args, kwargs)) if donated else (args, kwargs)
        return jax.block_until_ready(jitted(*mine[0], **mine[1]))

    call()
    once = _profiled(call)
    enough = min(_MEASURED_S / max(once.took_s, 1e-6), _MEASURED_EVENTS / max(len(once.events), 1))

    def calls() -> None:
        for _ in range(max(3, min(_CALLS, int(enough)))):
            call()

    return measured(calls, [target_of(fun)], traced.jaxpr, alone=True)[0]


_CALLS = 50
_MEASURED_S = 0.5
_MEASURED_EVENTS = 10_000
"""Reading more takes longer than anybody waits for: a loop of many rounds has that in a few calls."""


def _copied(tree: Any) -> Any:
    """Donated arguments are gone after a call: each call gets its own."""
    return jax.tree_util.tree_map(lambda leaf: leaf.copy() if isinstance(leaf, jax.Array) else leaf, tree)


def _is_of_user(execution: programs.Execution) -> bool:
    """Whether it is a jitted function of the user's. An operation outside jit is a program, too, whose name is JAX's."""
    program = execution.program
    if program is None:
        return False
    if not program.is_named:
        return any(is_users(place.file) for place in program.own_places)
    if any(program.is_of(place.function) and not is_library(place.file) for place, _ in program.frames.values()):
        return True
    # its name is not its `def`'s
    return bool(_records_of(execution.module)) or programs.traced_elsewhere(program) is not None


def _written_in(program: hlo.Program) -> Iterable[tuple[str, str]]:
    """Which function of its name a program is of: the files and the qualified names of that; of none, where it begins."""
    if not program.is_named:
        stacks = [program.own_stack(frame) for frame in {each.frame for each in program.instructions.values()}]
        return sorted({(stack[-1].file, stack[-1].function) for stack in stacks if stack})
    return sorted({(place.file, place.function) for place in program.own_places if program.is_of(place.function)})


def _elsewhere(seen: Iterable[tuple[str, hlo.Program, Any]]) -> list[Any]:
    """What was traced for the program seen, outside `jm.jit`."""
    first = next((program for _, program, _ in seen), None)
    jaxpr = programs.traced_elsewhere(first) if first is not None else None
    return [jaxpr] if jaxpr is not None else []


def _records_of(module: str) -> list[FunctionRecord]:
    return [each for each in programs.living() if hlo.module_name(each.qualname.rpartition(".")[2]) == module.rstrip("_")]


def _jaxpr(record: FunctionRecord) -> Any:
    entry = programs.latest_entry(record)
    return programs.traced(entry) if entry is not None else None


def _nothing_ran(targets: Sequence[Target], events: Sequence[Any], unread: float) -> str:
    names = ", ".join(target.name for target in targets)
    if not events and not names:
        return "the statement ran nothing compiled, or this backend tells the profiler nothing of its operations"
    if unread:
        return "what ran is no longer held by JAX, so its lines are not known: keep the jitted function alive and run it again"
    return f"the statement ran no program of {names}" if names else "the statement ran no jitted function of yours"


def _fill(
    report: Report,
    figures: dict[Key, Figures],
    found: Sequence[Equation] | None,
    targets: Sequence[Target],
    ran: Sequence[hlo.Program],
) -> None:
    """Put figures and equations into lines, function by function, the ones asked about first, then those that cost most.

    Args:
        report: what is filled.
        figures: of each line.
        found: the equations; None where they are not known.
        targets: what was asked about.
        ran: the programs: without anything asked, the functions that they have their names from come first.
    """
    known = found is not None
    found = found or ()
    made = Counter(_place(each) for each in found)
    repeated = repeats(list(found))
    source = functools.cache(Source)
    asked = {target.written for target in targets if target.written is not None} if targets else set(_named_by(ran, source))
    # a function is shown with those that it holds; one around it has other lines, which stand by themselves
    asked = {each for each in asked if not any(other != each and other.has(each.file, each.first) for other in asked)}
    functions = dict.fromkeys(sorted(asked), float("inf"))
    loose: dict[Key, str] = {}
    for key in {*figures, *made} - {NOWHERE}:
        file, line = key
        written = next((each for each in functions if each.has(file, line)), None) or source(file).around(line, asked)
        if written is None:
            loose[key] = _name_at(found, key) or (figures[key].function if key in figures else "")
        else:
            cost = figures[key].execute_s if key in figures else 0.0
            functions[written] = functions.get(written, 0.0) + cost
    for written in sorted(functions, key=lambda each: -functions[each]):
        report.places[written.name] = written.file, written.first
        for number, code in enumerate(written.code, written.first):
            key = written.file, number
            report.lines.append(_line(written.name, number, code, key, figures, made if known else None, repeated))
    for key, name in sorted(loose.items()):
        code = linecache.getline(*key).strip() or ", ".join(figures[key].operations if key in figures else ())
        report.lines.append(_line(name, key[1], code, key, figures, made if known else None, repeated))
    if NOWHERE in figures or made[NOWHERE]:
        report.lines += _unattributed(figures.get(NOWHERE, Figures()), made[NOWHERE] if known else None, not report.lines)


def _named_by(ran: Sequence[hlo.Program], source: Callable[[str], Source]) -> Iterator[Written]:
    """The functions that programs have their names from."""
    for program in ran:
        for place in program.own_places if program.is_named else ():
            if (
                program.is_of(place.function)
                and is_users(place.file)
                and (written := source(place.file).innermost(place.function, place.line))
            ):
                yield written


def _line(
    name: str, number: int | None, code: str, key: Key, figures: dict[Key, Figures], made: Counter[Key] | None, repeated: Any
) -> Line:
    times = repeated.get(key)
    return Line(name, number, code, figures.get(key), made[key] if made is not None else None, times)


def _unattributed(figures: Figures, made: int | None, by_operation: bool) -> list[Line]:
    """One row; where no line at all is known, one for each operation, since that is all that can be said."""
    if not by_operation or not figures.operations:
        return [Line("", None, "not attributed", figures, made or None)]
    operations = sorted(figures.operations.items(), key=lambda each: -each[1])
    lines = [Line("", None, name, Figures(execute_s=seconds, within_s=seconds)) for name, seconds in operations]
    return [*lines, Line("", None, "all operations", replace(figures, execute_s=0.0, within_s=0.0), made or None)]


def _place(equation: Equation) -> Key:
    return (equation.stack[0].file, equation.stack[0].line) if equation.stack else NOWHERE


def _name_at(found: Iterable[Equation], key: Key) -> str:
    return next((each.stack[0].function for each in found if _place(each) == key), "")


def _notes(elsewhere: float, unread: float, profile: profiling.Profile) -> list[str]:
    notes = []
    if elsewhere:
        notes.append(f"other programs took {duration(elsewhere)}")
    if unread:
        notes.append(f"{duration(unread)} went to programs that JAX no longer holds")
    if profile.cost_s > _WORTH_SAYING * profile.took_s:
        notes.append(f"the profiler itself took {duration(profile.cost_s)}")
    return notes


_WORTH_SAYING = 0.2
"""The profiler's part of the statement's own time from which on it is told."""
