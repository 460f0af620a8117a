"""The search: trace, see where it stops, let a rule cure that place, trace again, until nothing is left to cure.

Rules give alternatives, best first; the search follows the first and comes back to the others when a trace or a comparison
rejects it. Every step is a text, so what rules make of a text is met again by other rules: a loop that breaks becomes a loop
with a flag, whose `if` becomes `where`, whose `while` becomes `while_loop`.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax

from .._inputs import Input
from .._quiet import Effect, OutOfTime, rerun
from .._source import NoSource, Rebuilt, Unit, frame_units, is_users, position, unit_of
from .._time import Deadline
from .._types import Change
from ._code import Code
from ._rules import Obstacle, Rule, Spot, Step

MAX_TRACES = 80
OTHER_TRACES = 12  # for another way, once there is an answer
MAX_STEPS = 30
ANOTHER_SHAPE = "another shape"  # of `Step.excludes`
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Draft:
    """The texts of the units changed so far, and how they came about."""

    texts: Mapping[Unit, str] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    excludes: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    risky: bool = False

    @property
    def key(self) -> frozenset[tuple[int, str]]:
        return frozenset((id(unit), text) for unit, text in self.texts.items())


@dataclass(frozen=True)
class Traced:
    """A draft that traces, and the function made of it."""

    draft: Draft
    function: Callable[..., Any]
    equations: int


class Search:
    """One function, one call: drafts that trace, best first.

    Args:
        fun: the user's function (unjitted where it was jitted).
        args, kwargs, static: the failing call and its static arguments.
        rules: alternatives in order of preference.
        deadline: when the search ends.
        others: the call with other static values; a draft has to trace on them too.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        static: Sequence[str | int],
        rules: Sequence[Rule],
        deadline: Deadline,
        others: Sequence[Input] = (),
    ) -> None:
        self.fun, self.args, self.kwargs = fun, args, dict(kwargs)
        self.static, self.rules, self.deadline = static, rules, deadline
        self.others = others
        self.traces = 0
        self._limit = MAX_TRACES
        self.obstacles: dict[str, None] = {}
        self.why_not = ""
        self.units: list[Unit] = []
        self._codes: dict[tuple[int, str], types.CodeType] = {}
        self._files: dict[str, tuple[Unit, str]] = {}
        self._seen: set[frozenset[tuple[int, str]]] = set()

    def drafts(self, prefer: str = "") -> Iterator[Traced]:
        """Drafts that trace; rules' steps whose pattern is `prefer` are tried first, within fewer traces."""
        self._seen = set()
        self._limit = self.traces + OTHER_TRACES if prefer else MAX_TRACES
        yield from self._follow(Draft(), prefer, 0)

    def _follow(self, draft: Draft, prefer: str, depth: int) -> Iterator[Traced]:
        if draft.key in self._seen or depth > MAX_STEPS:
            return
        self._seen.add(draft.key)
        if self.traces >= self._limit or self.deadline.over():
            self.obstacles["the search for a rewrite ran out of time"] = None
            return
        try:
            function = self.build(draft)
        except (NoSource, SyntaxError) as error:
            self.obstacles[str(error)] = None
            return
        outcome = self.trace(function, self.args, self.kwargs)
        for given in self.others if not isinstance(outcome, BaseException) else ():
            other = self.trace(function, given.args, given.kwargs)
            if isinstance(other, BaseException) and self._matters(other, draft):  # its sites are cured by the same rules
                outcome = other
                break
        if not isinstance(outcome, BaseException):
            if draft.changes:
                yield Traced(draft, function, outcome)
            return
        try:
            unit, spot, steps = self._next(outcome, draft)
        except (NoSource, Obstacle) as error:
            self.obstacles[str(error)] = None
            if isinstance(error, Obstacle) and self._is_of_the_users(str(error)):
                self.why_not = self.why_not or str(error)
            return
        finally:
            del outcome
        line = self._original_line(unit, draft.texts.get(unit, unit.text), spot.line)
        if not steps:
            self.obstacles[
                f"no known rewrite for line {line}: `{spot.code.lines[spot.line - 1].strip()}` ({first_words(spot.error)})"
            ] = None
        steps.sort(key=lambda step: bool(prefer) and step.pattern != prefer)
        del spot
        for step in steps:
            yield from self._follow(self._with(draft, unit, step, line), prefer, depth + 1)

    def _is_of_the_users(self, sentence: str) -> bool:
        """Whether the code that a sentence quotes is the user's own and not a draft's."""
        texts = ["".join(unit.text.split()) for unit in self.units]
        return all(any("".join(quoted.split()) in text for text in texts) for quoted in sentence.split("`")[1::2])

    def _next(self, outcome: BaseException, draft: Draft) -> tuple[Unit, Spot, list[Step]]:
        """Where the trace stopped, and what the rules propose there."""
        if isinstance(outcome, RecursionError):
            raise Obstacle("the recursion never ends under trace: its end depends on data; write it as a loop")
        unit, spot = self._spot(outcome, draft)
        return unit, spot, list(self._steps(spot))

    def _matters(self, error: BaseException, draft: Draft) -> bool:
        """Whether a failure with another static value is one of the code's own sites; an empty array's, say, is none."""
        if isinstance(error, (jax.errors.JAXTypeError, jax.errors.JAXIndexError)):
            return True
        if ANOTHER_SHAPE in draft.excludes:
            return False  # sizes past an end, which the draft says
        try:
            return bool(self._next(error, draft)[2])
        except Obstacle:
            return True  # a rule knows the place, and why nothing can be done there
        except NoSource:
            return False

    def _steps(self, spot: Spot) -> Iterator[Step]:
        reasons = []
        found = False
        for rule in self.rules:
            try:
                for step in rule(spot):
                    found = True
                    yield step
            except Obstacle as error:
                reasons.append(error)
        if reasons and not found:
            raise reasons[0]

    def _with(self, draft: Draft, unit: Unit, step: Step, line: int) -> Draft:
        texts = {**draft.texts, unit: step.text}
        change = Change(unit.filename, line, step.pattern)
        notes = (*draft.notes, step.note) if step.note and step.note not in draft.notes else draft.notes
        return Draft(texts, (*draft.changes, change), {**draft.excludes, **step.excludes}, notes, draft.risky or step.risky)

    # -- building and tracing ------------------------------------------------------------------------

    def build(self, draft: Draft) -> Callable[..., Any]:
        """The function with the draft's texts in place of the units'."""
        if not draft.texts:
            return self.fun
        compiled = {unit: self._compiled(unit, text) for unit, text in draft.texts.items()}
        made: Callable[..., Any] = Rebuilt(compiled, {u: added_imports(u, text) for u, text in draft.texts.items()}).make(
            self.fun
        )
        return made

    def _compiled(self, unit: Unit, text: str) -> types.CodeType:
        key = (id(unit), text)
        if key not in self._codes:
            filename = f"<jitmagic draft {next(_numbers)}>"
            self._codes[key] = unit.compiled(text, filename)
            self._files[filename] = (unit, text)
        return self._codes[key]

    def trace(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int | Exception:
        """The number of equations if `function` traces, else the error. Output is swallowed."""
        self.traces += 1
        with whole_tracebacks():
            try:
                traced = rerun(lambda: jitted(function, self.static).trace(*args, **kwargs), max(0.5, self.deadline.left()))
            except OutOfTime:
                return TimeoutError("tracing it takes too long")
            except Effect as met:
                self.why_not = self.why_not or f"not traced further: {met}"
                return RuntimeError(str(met))
            except Exception as error:
                return error
        return count_equations(traced.jaxpr)

    # -- where it failed -------------------------------------------------------------------------------

    def _spot(self, error: BaseException, draft: Draft) -> tuple[Unit, Spot]:
        for frame, instruction in frame_units(error, lambda name: name in self._files or is_users(name)):
            code = frame.f_code
            where = position(code, instruction)
            if where is None:
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
            source = Code(text)
            line, column, end_line, end_column = where
            node = source.at(line - offset, column, end_line - offset, end_column)
            if node is None:
                raise NoSource(f"line {line} of {unit.filename} was not found in its source")
            names = dict(frame.f_locals)
            return unit, Spot(source, node, error, names, frame.f_globals, line - offset)
        raise NoSource("the trace did not stop in a function whose source is the user's")

    def _unit(self, code: types.CodeType, module_globals: dict[str, Any]) -> Unit:
        for unit in self.units:
            if unit.holds(code):
                return unit
        unit = unit_of(code, module_globals)
        self.units.append(unit)
        return unit

    def _original_line(self, unit: Unit, text: str, line: int) -> int:
        """The line in the user's file from which a line of the changed text came."""
        old, new = unit.text.splitlines(), text.splitlines()
        import difflib

        matcher = difflib.SequenceMatcher(None, [s.strip() for s in old], [s.strip() for s in new], autojunk=False)
        best = 1
        for block in matcher.get_matching_blocks():
            if block.b + 1 > line:
                break
            if block.size:
                best = block.a + min(line - block.b, block.size)
        return unit.first_line + best - 1


def jitted(function: Callable[..., Any], static: Sequence[str | int]) -> Any:
    """`jax.jit` of it with these static arguments (names or positions)."""
    names = tuple(s for s in static if isinstance(s, str))
    nums = tuple(s for s in static if isinstance(s, int))
    options: dict[str, Any] = {}
    if names:
        options["static_argnames"] = names
    if nums:
        options["static_argnums"] = nums
    return jax.jit(function, **options)


def count_equations(jaxpr: Any) -> int:
    """Equations of a closed jaxpr, those inside loops and branches counted once."""
    total = 0
    stack = [getattr(jaxpr, "jaxpr", jaxpr)]
    while stack:
        inner = stack.pop()
        total += len(inner.eqns)
        for equation in inner.eqns:
            for value in equation.params.values():
                for item in value if isinstance(value, tuple | list) else (value,):
                    item = getattr(item, "jaxpr", item)
                    if hasattr(item, "eqns"):
                        stack.append(item)
    return total


def first_words(error: BaseException) -> str:
    """The error's type and first line, short."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:120]}" if lines else type(error).__name__


@contextlib.contextmanager
def whole_tracebacks() -> Iterator[None]:
    """JAX's errors with their own tracebacks: its filtered copies name the last instruction of a frame, not the failing one."""
    before = jax.config.jax_traceback_filtering
    jax.config.update("jax_traceback_filtering", "off")
    try:
        yield
    finally:
        jax.config.update("jax_traceback_filtering", before)


def added_imports(unit: Unit, text: str) -> str:
    """The import lines that a rewrite put above the statement."""
    if text.startswith(unit.text.splitlines()[0]):
        return ""
    lines = itertools.takewhile(
        lambda line: not line.strip() or line.startswith(("import ", "from jax import")), text.splitlines()
    )
    return "\n".join(lines)


def top_name(statement: ast.stmt) -> str:
    """The name that a top-level statement binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return statement.name
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    return ""
