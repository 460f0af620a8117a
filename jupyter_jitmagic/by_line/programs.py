"""Which compiled programs ran, and what JAX traced for them: found, not made again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from jupyter_jitmagic.base import live_programs
from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.by_line import hlo
from jupyter_jitmagic.by_line.equations import equations
from jupyter_jitmagic.by_line.profiling import Ran
from jupyter_jitmagic.recording.api.programs import held
from jupyter_jitmagic.recording.compiles.elsewhere import others
from jupyter_jitmagic.records.log import EntryRecord, FunctionRecord, log
from jupyter_jitmagic.usercode.ownership import is_users


class Execution(NamedTuple):
    """A program and when its instructions ran; none where JAX holds the program no more."""

    module: str
    programs: list[hlo.Program]
    """Those that it may have been, the likeliest first: several functions of one name can come to the same instructions."""
    events: list[Ran]

    @property
    def program(self) -> hlo.Program | None:
        return self.programs[0] if self.programs else None


def executions(events: Iterable[Ran]) -> list[Execution]:
    """The events by program."""
    by_program: dict[tuple[str, Any], list[Ran]] = defaultdict(list)
    for event in events:
        by_program[event.module, event.run[1]].append(event)
    texts = _Texts()
    return [
        Execution(module, texts.of(module, number, {event.instruction for event in ran}), ran)
        for (module, number), ran in by_program.items()
    ]


class _Texts:
    """The programs that the backend holds, by the name of their module; each is read once, and only when it is asked for."""

    def __init__(self) -> None:
        self._modules: dict[str, list[Any]] = defaultdict(list)
        for module in live_programs.live_modules():
            self._modules[module.name].append(module)
        self._read: dict[str, list[tuple[Any, hlo.Program]]] = {}

    def of(self, name: str, number: Any, instructions: set[str]) -> list[hlo.Program]:
        """The program of this name and number. Where numbers tell nothing, those of other lines each that have all these
        instructions, the newest first."""
        if name not in self._read:
            self._read[name] = [(module, hlo.read(module.to_string())) for module in self._modules.get(name, ())]
        found = [each for each in self._read[name] if instructions <= each[1].instructions.keys()]
        if len(found) > 1 and isinstance(number, int):
            numbers = {id(module): live_programs.module_number(module) for module, _ in found}
            # of a program that came from disk the backend makes what it tells after what it runs, under one of the next numbers
            its = min((each for each in numbers.values() if each is not None and each >= number), default=None)
            found = [each for each in found if numbers[id(each[0])] == its] if its is not None else found
        by_lines: dict[frozenset[tuple[str, int]], hlo.Program] = {}
        for _, program in found:
            by_lines.setdefault(_own_lines(program), program)
        return list(by_lines.values())


def _own_lines(program: hlo.Program) -> frozenset[tuple[str, int]]:
    """The lines of the function itself: who called it differs from entry to entry."""
    places = [place for place, _ in program.frames.values()]
    own = [place for place in places if program.is_of(place.function)] if program.is_named else places
    return frozenset((place.file, place.line) for place in own)


def latest_entry(record: FunctionRecord) -> EntryRecord | None:
    """The entry of a function that was used last, among those whose program JAX still holds."""
    entries = [entry for entry in log.entries.values() if entry.function == record.id and entry.alive]
    return max(entries, key=lambda entry: (entry.last_used_s, entry.id), default=None)


def traced(entry: EntryRecord) -> Any:
    """The closed jaxpr of an entry as JAX holds it, None where it does not."""
    try:
        with held(entry.id) as program:
            return program.traced.jaxpr
    except OptionError:
        return None


def traced_elsewhere(program: hlo.Program) -> Any:
    """The closed jaxpr of the plain ``jax.jit`` function that a program is of, the latest that JAX holds.

    Where several have its name, or it has none, of the one that has its lines; None where none has, or several.
    """
    found: list[tuple[tuple[str, str], Any]] = []
    for row in sorted(log.others.values(), key=lambda row: -row.last_s):
        named = hlo.module_name(row.function.rpartition(".")[2]) == program.name.rstrip("_")
        if (named or not program.is_named) and (jaxpr := others.traced(row.id)) is not None:
            found.append(((row.function, row.module), jaxpr))
    if len(found) > 1 or not program.is_named:
        lines = {(place.file, place.line) for place in program.own_places if is_users(place.file)}
        found = [(name, jaxpr) for name, jaxpr in found if lines and lines <= _lines(jaxpr)]
    return found[0][1] if len({name for name, _ in found}) == 1 else None


def _lines(jaxpr: Any) -> set[tuple[str, int]]:
    return {(place.file, place.line) for each in equations(jaxpr, is_users) for place in each.stack}


def compiled(entry: EntryRecord) -> hlo.Program | None:
    """The optimised program of an entry as JAX holds it, None where it does not."""
    try:
        with held(entry.id) as program:
            return hlo.read(str(program.lowered().compile().as_text()))
    except OptionError:
        return None


def named(name: str) -> Iterator[FunctionRecord]:
    """The living recorded functions of a name, as tables show it or as it is written."""
    for record in living():
        if name in (record.name, record.qualname, record.qualname.rpartition(".")[2]):
            yield record


def living() -> list[FunctionRecord]:
    """The recorded functions that exist and were not made anew."""
    return [record for record in log.functions.values() if record.alive and not record.superseded]
