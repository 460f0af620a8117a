"""`jm.compare_processes`: functions of which the processes have compiled different programs, and the first difference."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jupyter_jitmagic.base.wording import short_name
from jupyter_jitmagic.processes import levels
from jupyter_jitmagic.processes.asking import TIMEOUT_S, Answers, ask
from jupyter_jitmagic.processes.opened import Opened
from jupyter_jitmagic.records.programs import Differing, Program, first_difference, groups_of, most, named, others_than, told

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "function": "qualified name",
    "differs": "the first difference, in words",
    "who": "which processes differ from most others",
    "place": "path of the argument, name of the option … in which they differ; empty where a function or program is missing",
    "theirs": "what it is there",
    "others": "what it is in the others",
    "call_site": "the line that made the call, in the first that differs",
}


def compare_processes(source: Any = None, *, timeout_s: float = TIMEOUT_S) -> pd.DataFrame:
    """Functions of which processes have compiled different programs: one row each, with the first difference in words.

    Programs are compared by what JAX's cache key holds, in the order in which each process compiled them.

    Args:
        source: a client or a view of ipyparallel, or what `jm.open` made of a folder (or one run of it). None: what was told to
            this process, in a program of several (`jax.distributed`): that they are about to run different programs.
        timeout_s: so long an engine may take; one that does not answer is left out, with a warning of one line.

    Returns:
        A table: function, differs (in words), who, place, theirs, others, call_site. Empty if all compiled the same.

    Raises:
        OptionError: no client, view or folder.

    Example:
        >>> jm.compare_processes(client)["differs"][0]
        'engine 3 compiled step for f32[31,8], the others for f32[32,8]: x'
    """
    import pandas as pd

    rows, notes = found_in(source, timeout_s)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")


def found_in(source: Any, timeout_s: float = TIMEOUT_S) -> tuple[list[Differing], list[str]]:
    """The differences, and a line for each process that could not be asked."""
    if source is None:
        from jupyter_jitmagic.recording.compiles import agreeing  # brings JAX, which is not needed to ask others

        return list(agreeing.agreement.found), []
    if isinstance(source, Opened):
        frame, kind, by = source.programs(), "process", "process"
        rows = [found for run in source.runs for found in _of_table(frame[frame["run"] == run], kind, by, source, run)]
        return rows, []
    answers = ask(source, [levels.PROGRAMS], timeout_s)
    return between(answers), answers.notes


def between(answers: Answers) -> list[Differing]:
    """The differences between engines that were asked for their programs."""
    numbers = [each.about.get("process") for each in answers.given]
    by_process = None not in numbers and len(set(numbers)) == len(numbers)
    programs = {
        number if by_process else each.engine: programs_of(each.frames[levels.PROGRAMS])
        for each, number in zip(answers.given, numbers, strict=True)
    }
    return differences(programs, "process" if by_process else "engine")


def _of_table(frame: Any, kind: str, by: str, source: Opened, run: str) -> list[Differing]:
    everyone = source.run(run).processes["process"]
    return differences({int(number): programs_of(frame[frame[by] == number]) for number in everyone}, kind)


def programs_of(frame: Any) -> list[Program]:
    """Rows of the level `programs`."""
    return [Program.from_dict(row) for row in frame.to_dict("records")]


def differences(programs: Mapping[Any, Sequence[Program]], kind: str = "process") -> list[Differing]:
    """What differs between processes, function by function, in the order in which they were compiled.

    Args:
        programs: of each process what it compiled, in its order.
        kind: what the processes are called.
    """
    if len(programs) < 2:
        return []
    ordered = {who: _once(each) for who, each in programs.items()}
    found = []
    for function in dict.fromkeys(program.function for each in ordered.values() for program in each):
        own = {who: [program for program in each if program.function == function] for who, each in ordered.items()}
        found += _of_function(function, own, kind)
    return found or _of_order(ordered, kind)


def _once(programs: Sequence[Program]) -> list[Program]:
    """Without those that were compiled before: a cleared cache is no other program."""
    return list({program.digest: program for program in reversed(programs)}.values())[::-1]


def _of_function(function: str, own: Mapping[Any, Sequence[Program]], kind: str) -> list[Differing]:
    for place in range(max(map(len, own.values()))):
        at = {who: each[place] if place < len(each) else None for who, each in own.items()}
        usual = most(at)
        odd = {who: program for who, program in at.items() if _digest(program) != _digest(usual)}
        if odd:
            return [
                _told(function, place, whos, kind, at[whos[0]], usual, others_than(kind, own, whos)) for whos in groups_of(odd)
            ]
    return []


def _told(
    function: str, place: int, whos: list[Any], kind: str, program: Program | None, usual: Program | None, others: str
) -> Differing:
    who, name = named(kind, whos), short_name(function)
    if program is None:
        has, site = "have" if len(whos) > 1 else "has", usual.call_site if usual else ""
        what = f"{name} at all" if place == 0 else f"{name} so often: {others} went on to {_texts(usual)}"
        return Differing(function, f"{who} {has} not compiled {what}", who, call_site=site)
    if usual is None:
        what = name if place == 0 else f"{name} once more, for {_texts(program)}"
        return Differing(function, f"{who} compiled {what}; {others} did not", who, call_site=program.call_site)
    found = first_difference(program, usual)
    line = told(who, program, others, usual)
    if found is None:
        return Differing(function, line, who)
    return Differing(function, line, who, found.place, found.one, found.other, program.call_site)


def _of_order(ordered: Mapping[Any, Sequence[Program]], kind: str) -> list[Differing]:
    """All have compiled the same programs: perhaps not in the same order."""
    for place in range(max(map(len, ordered.values()))):
        at = {who: each[place] if place < len(each) else None for who, each in ordered.items()}
        usual = most(at)
        odd = {who: program for who, program in at.items() if _digest(program) != _digest(usual)}
        for whos in groups_of(odd):
            program = at[whos[0]]
            if program is not None and usual is not None:
                who = named(kind, whos)
                others = others_than(kind, ordered, whos)
                line = f"{who} compiled {_whole(program)} where {others} compiled {_whole(usual)}: the order differs"
                return [Differing(program.function, line, who, call_site=program.call_site)]
    return []


def _digest(program: Program | None) -> str:
    return program.digest if program is not None else ""


def _whole(program: Program) -> str:
    return f"{short_name(program.function)} for {_texts(program)}"


def _texts(program: Program | None) -> str:
    """The first arguments of a program: what stands before the first fact about how they were passed."""
    shown: list[str] = []
    for place, value in program.facts.items() if program is not None else ():
        if place.endswith(" passed") or len(shown) == 3:
            break
        if " " not in place:
            shown.append(value)
    return ", ".join(shown) or "no arguments"
