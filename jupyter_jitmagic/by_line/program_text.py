"""An entry's program as text, and the line of the user's source that each of its lines came from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.by_line import hlo
from jupyter_jitmagic.by_line.hlo import Place
from jupyter_jitmagic.recording.api.programs import entry_detail, held
from jupyter_jitmagic.usercode.ownership import is_users

What = Literal["jaxpr", "stablehlo", "hlo"]
WHATS: tuple[What, ...] = ("jaxpr", "stablehlo", "hlo")


class ProgramText(NamedTuple):
    text: str
    places: list[Place | None]
    """One for each line of the text: the user's innermost line that led to it, None where none is known."""


def program_text(entry: int, what: What) -> ProgramText:
    """An entry's jaxpr, StableHLO or optimised HLO as JAX holds it.

    Raises:
        OptionError: one line: there is no such entry, no such program, or JAX holds it no more.

    Example:
        >>> text, places = program_text(3, "jaxpr")
        >>> places[text.splitlines().index("    b:f32[4] = sin a")].line
        2
    """
    if what not in WHATS:
        raise OptionError(f"{what!r}: choose one of {', '.join(WHATS)}")
    text = str(entry_detail(entry, what))
    if what == "hlo":
        return ProgramText(text, [_users(stack) for stack in hlo.stacks_by_line(text)])
    with held(entry) as program:
        found = _jaxpr(program.traced.jaxpr) if what == "jaxpr" else _stablehlo(program.lowered())
    # what is shown is what JAX writes: where taking the places out of their text does not lead to it, none are known
    return found if found.text == text else ProgramText(text, [None] * len(text.split("\n")))


def _users(stack: Sequence[Place]) -> Place | None:
    return next((place for place in stack if place.file and is_users(place.file)), None)


_AFTER_EQUATION = re.compile(r"[ ]*# (?:(?P<file>.+?):(?P<line>\d+)(?::\d+)?(?: to :\d+)? \((?P<function>[^()]*)\))?$")


def _jaxpr(jaxpr: Any) -> ProgramText:
    lines: list[str] = []
    places: list[Place | None] = []
    for line in jaxpr.pretty_print(source_info=True, use_color=False).split("\n"):
        found = _AFTER_EQUATION.search(line)
        lines.append(line[: found.start()] if found else line)
        stack = [Place(found["file"], int(found["line"]), found["function"])] if found and found["file"] else []
        places.append(_users(stack))
    return ProgramText("\n".join(lines), places)


_TEXT = r'"(?:[^"\\]|\\.)*"'
_LOCATION = re.compile(rf" loc\(((?:[^()\"]|{_TEXT}|\((?:[^()\"]|{_TEXT})*\))*)\)")
_NAMED = re.compile(r"(#loc\d*) = loc\((.*)\)$")
_FILE = re.compile(r'^"((?:[^"\\]|\\.)*)":(\d+)')
_CALL = re.compile(r"^callsite\((#loc\d*) at (#loc\d*)\)$")
_WITH_NAME = re.compile(rf"^({_TEXT})\((.*)\)$")


def _stablehlo(lowered: Any) -> ProgramText:
    written = lowered.as_text(debug_info=True).split("\n")
    named = {found[1]: found[2] for line in written if (found := _NAMED.match(line))}
    known: dict[str, Place | None] = {}
    lines: list[str] = []
    places: list[Place | None] = []
    for line in written:
        if _NAMED.match(line):
            continue
        locations = _LOCATION.findall(line)
        lines.append(_LOCATION.sub("", line))
        where = locations[-1] if locations else ""
        if where not in known:
            known[where] = _users(_stack(where, named))
        places.append(known[where])
    return ProgramText("\n".join(lines), places)


def _stack(location: str, named: dict[str, str], function: str = "") -> list[Place]:
    """The places that a location of MLIR leads to, innermost first."""
    location = named.get(location, location)
    if found := _FILE.match(location):
        return [Place(found[1], int(found[2]), function)]
    if found := _CALL.match(location):
        return _stack(found[1], named) + _stack(found[2], named)
    if found := _WITH_NAME.match(location):
        return _stack(found[2], named, found[1][1:-1])
    return []
