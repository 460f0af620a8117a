"""Drafts as functions that run, and the places in the user's code at which they stopped."""

from __future__ import annotations

import ast
import itertools
import re
import types
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_jitmagic.base.looking import text_attribute
from jupyter_jitmagic.diagnosis.proof.arguments import JitCall
from jupyter_jitmagic.diagnosis.proof.carrying import carrying
from jupyter_jitmagic.diagnosis.rewrites import never_equal
from jupyter_jitmagic.diagnosis.rewrites.building import made_for
from jupyter_jitmagic.diagnosis.rewrites.drafts import Draft, Stuck
from jupyter_jitmagic.diagnosis.rewrites.leaking import where_kept
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.told import Told
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.methods import asked_in
from jupyter_jitmagic.source.units import NoSource, Unit, plain_function, unit_of
from jupyter_jitmagic.usercode.ownership import is_users_text
from jupyter_jitmagic.usercode.places import frames_of, position, tested_at

_numbers = itertools.count(1)


@dataclass
class Stopped:
    """What a search learns of a draft whose trace stopped.

    Attributes:
        steps: what the rules propose there.
        by_the_call: the failing call itself stopped it, so that a search with fewer other calls learns the same.
        obstacles, why_not: what is told of it in the end.
        dead: the line at which it stopped, where a draft brought that in and no rule can cure it.
        hopeless: the line at which a rule knew that there is no way: that goes by no type.
        loses_gradient: a gradient that the function takes came to a loop without a reverse mode.
        is_endless: it calls itself without end.
        stuck: it, where it stopped at a line of the user's own.
    """

    steps: list[tuple[Unit, Step]] = field(default_factory=list)
    by_the_call: bool = False
    obstacles: dict[str, None] = field(default_factory=dict)
    why_not: str = ""
    dead: tuple[Unit, str] | None = None
    hopeless: str | None = None
    loses_gradient: bool = False
    is_endless: bool = False
    stuck: Stuck | None = None


class Drafted:
    """The functions of the drafts of searches for one call, and what stopped them.

    Args:
        call: the failing one.
        runnable: the user's functions that are reached, where plain Python may be run for what it tells of their expressions.
    """

    def __init__(self, call: JitCall, runnable: Callable[[], Sequence[Unit]]) -> None:
        self.call, self.runnable = call, runnable
        self.units: list[Unit] = []
        self.stopped: dict[Hashable, Stopped] = {}
        self._own_name = text_attribute(plain_function(call.fun), "__qualname__")
        self._static_names = frozenset(name for name in call.static if isinstance(name, str))
        self._told = Told(call, runnable, self.units)
        self._codes: dict[tuple[int, str, frozenset[str]], types.CodeType] = {}
        """By unit, text, and the methods that it asks for: of classes that the draft changes as well."""
        self._files: dict[str, tuple[Unit, str]] = {}
        self._sources: dict[str, Code] = {}

    def build(self, draft: Draft) -> Callable[..., Any]:
        """The function with the draft's texts in place of the units'."""
        if not draft.texts:
            return carrying(self.call.fun, self.call.carried)
        comparing = {unit: unit.text for unit in self.runnable() if never_equal.is_called(unit.text)}
        return made_for(self.call, {**comparing, **draft.texts}, self.compiled, never_equal.names())

    def compiled(self, unit: Unit, made: str | ast.Module, text: str) -> types.CodeType:
        unit = self._known(unit)
        if text == unit.text:  # which asks for methods: for others than in another draft
            return self.made(unit, made, text)
        key = (id(unit), text, asked_in(made) if isinstance(made, ast.AST) else frozenset())
        if key not in self._codes:
            self._codes[key] = self.made(unit, made, text)
        return self._codes[key]

    def made(self, unit: Unit, made: str | ast.Module, text: str) -> types.CodeType:
        filename = f"<jitmagic draft {next(_numbers)}>"
        self._files[filename] = (unit, text)
        return unit.compiled(never_equal.stopping(made) if never_equal.is_called(text) else made, filename)

    def spots(self, error: BaseException, draft: Draft) -> Iterator[Spot]:
        """The places in the user's code at which the trace stood when it stopped, innermost first."""
        found = False
        for frame, instruction in frames_of(error, lambda name: name in self._files or is_users_text(name)):
            code = frame.f_code
            where = position(code, tested_at(code, instruction), 0)
            if not where.line:
                continue
            if code.co_filename in self._files:
                unit, text = self._files[code.co_filename]
                offset = 0
            else:
                unit = self._unit(code, frame.f_globals)
                text = unit.text
                offset = unit.first_line - 1
                if unit in draft.texts:
                    raise NoSource(f"{code.co_qualname} is reached in a way that a rewrite cannot follow")
            source = self._code(text)
            line, last = where.line - offset, (where.end_line or where.line) - offset
            end_column = 10**6 if where.end_column is None else where.end_column
            node = source.at(line, where.column or 0, last, end_column)
            if node is None:
                raise NoSource(f"line {where.line} of {unit.filename} was not found in its source")
            found = True
            own = _COMPREHENSION.sub("", code.co_qualname) == self._own_name
            static = self._static_names if own else frozenset()
            facts = self._told.of(draft)
            yield Spot(source, node, error, dict(frame.f_locals), frame.f_globals, line, unit, static, facts, own, self._files)
        kept = None if found else where_kept(error, self.runnable(), draft.texts, self._files, self._code)
        if kept is not None:
            yield kept
        elif not found:
            raise NoSource("the trace did not stop in a function whose source is the user's")

    def _code(self, text: str) -> Code:
        self._sources[text] = self._sources.get(text) or Code(text)
        return self._sources[text]

    def _unit(self, code: types.CodeType, module_globals: dict[str, Any]) -> Unit:
        for unit in self.units:
            if unit.holds(code):
                return unit
        # a function that was made again has globals of its own, into which no import of a rewrite goes
        unit = next((each for each in self.runnable() if each.holds(code)), None) or unit_of(code, module_globals)
        self.units.append(unit)
        return unit

    def _known(self, unit: Unit) -> Unit:
        """The one that stands for this statement in every draft."""
        for each in (*self.units, *self.runnable()):
            if (each.filename, each.first_line) == (unit.filename, unit.first_line):
                return each
        self.units.append(unit)
        return unit


_COMPREHENSION = re.compile(r"(\.<locals>\.<(list|set|dict)comp>|\.<locals>\.<genexpr>)+$")
