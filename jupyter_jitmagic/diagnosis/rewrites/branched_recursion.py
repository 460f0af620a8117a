"""Recursion that calls itself more than once, and adds up what the calls give or takes the largest or smallest: a loop over the
calls that are still to be made.

`return f(a, m) + f(m, b)` → both are put on a stack of arrays, of which each round takes the last.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from jupyter_jitmagic.diagnosis.proof.leaves import kind_of
from jupyter_jitmagic.diagnosis.rewrites.recursion import in_a_loop, own_calls
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.singles import is_single
from jupyter_jitmagic.source.code import always_returns, leaves
from jupyter_jitmagic.source.names import bound_once, defaults_of, stored, walk

_DEPTH = 3000  # of Python's recursion where IPython runs: 1,000 elsewhere
_NOTE = "at most {:,} calls wait at a time (Python's recursion is 1,000 to 3,000 calls deep); with more it would end too soon"


@dataclass(frozen=True)
class _Given:
    """What the function gives back at one place: what some calls of itself give, and `rest`, put together of `parts`."""

    node: ast.Return
    calls: tuple[ast.Call, ...]
    parts: tuple[ast.expr, ...]
    rest: str


@dataclass(frozen=True)
class _Joined:
    """How results are put together: with `start` before the first, as `text` of what there is and one more."""

    names: frozenset[str]
    start: str
    text: str


def on_a_stack(spot: Spot) -> Iterator[Step]:
    """`return f(a, m) + f(m, b)`, `max(f(…), f(…))`, and such calls by name before the `return`."""
    function = spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef) or not always_returns(function.body):
        return
    code, arguments = spot.code, function.args
    found = own_calls(spot, function, within=True)
    if found is None or arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
        return
    _, names, calls = found
    returns = [node for node in leaves(function.body, ast.Return) if isinstance(node, ast.Return) and node.value is not None]
    if any(in_a_loop(code, each) for each in returns) or not all(code.on_own_lines([each]) for each in returns):
        return
    values = {call: _arguments(function, call, names) for call in calls}
    again = set(stored(function.body))  # `tol = tol / 2` above `f(a, m, tol)`
    if any(len(each) < len(names) for each in values.values()):
        return
    changed = [name for name in names if name in again or any(code.src(each[name]) != name for each in values.values())]
    if not changed or not all(_is_number(spot, name) for name in changed):
        return
    for joined in (_sums(), _extremes(spot, "max"), _extremes(spot, "min")):
        reading = _Reading(spot, function, set(calls), joined)
        given = [reading.of(node) for node in returns]
        known = [each for each in given if each is not None]
        met = [call for each in known for call in each.calls]
        if len(known) == len(given) and len(met) == len(calls) and max(len(each.calls) for each in known) > 1:
            yield _Stack(spot, function, joined, known, changed, values).step(reading.by_name)
            return


@dataclass
class _Stack:
    """The function as a loop.

    Attributes:
        changed: the parameters that calls give another value.
        values: what each call gives for each parameter.
    """

    spot: Spot
    function: ast.FunctionDef
    joined: _Joined
    given: Sequence[_Given]
    changed: list[str]
    values: dict[ast.Call, dict[str, ast.expr]]

    def step(self, gone: list[ast.stmt]) -> Step:
        """`gone`: statements that give a call's result a name."""
        spot, code, function = self.spot, self.spot.code, self.function
        body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
        indent = code.indent(body[0])
        total, left = code.fresh("total", "found", "result"), code.fresh("left", "waiting", "calls_left")
        pending = {name: code.fresh(f"pending_{name}", f"{name}_pending") for name in self.changed}
        edits = [(*code.region([statement]), "") for statement in gone]
        for each in self.given:
            inner = code.indent(each.node)
            lines = [f"{total} = {self.joined.text.format(total=total, more=each.rest)}"] if each.rest else []
            calls = each.calls[::-1]  # the first is taken first
            for name, held in pending.items() if calls else ():
                texts = [code.expr(self.values[call][name]) for call in calls]
                puts = (f".at[{left + f' + {k}' * (k > 0)}].set({text})" for k, text in enumerate(texts))
                lines.append(f"{held} = {held}{''.join(puts)}")
            lines += [f"{left} = {left} + {len(calls)}"] if calls else []
            edits.append((*code.span(each.node), "".join(f"{line}\n{inner}" for line in lines) + "continue"))
        room = (max(len(each.calls) for each in self.given) - 1) * _DEPTH
        start = "0" if self.joined.start == "0.0" and self._adds_whole_numbers() else self.joined.start
        lines = [f"{total} = {start}"]
        for name, held in pending.items():
            lines.append(f"{held} = {spot.jnp('zeros')}({room}, {self._dtype(name)}).at[0].set({name})")
        lines += [f"{left} = 1", f"while ({left} > 0) & ({left} < {room}):"]
        taken = [f"{left} = {left} - 1", f"{', '.join(pending)} = {', '.join(f'{held}[{left}]' for held in pending.values())}"]
        text = "".join(f"{indent}{line}\n" for line in lines) + "".join(f"{indent}    {line}\n" for line in taken)
        text += code.block_text(body, f"{indent}    ", edits)
        note = _NOTE.format(room)
        return spot.step("stack", (code.region(body, comments=True), f"{text}{indent}return {total}\n"), note=note)

    def _dtype(self, name: str) -> str:
        """What holds a parameter's numbers: floats where a call gives one."""
        facts = [self.spot.fact(each[name]) for each in self.values.values()]
        whole = kind_of(self.spot.locals.get(name)) == "i" and all(fact is not None and fact.dtype == "i" for fact in facts)
        return f"{self.spot.jnp('result_type')}({name}{'' if whole else ', float'})"

    def _adds_whole_numbers(self) -> bool:
        facts = [self.spot.fact(part) for each in self.given for part in each.parts]
        return all(fact is not None and fact.dtype == "i" for fact in facts)


@dataclass
class _Reading:
    """What the `return`s of a function put together.

    Attributes:
        by_name: statements that give a call's result a name, which is put together behind them.
    """

    spot: Spot
    function: ast.FunctionDef
    calls: set[ast.Call]
    joined: _Joined
    by_name: list[ast.stmt] = field(default_factory=list)

    def of(self, node: ast.Return) -> _Given | None:
        assert node.value is not None
        parts = self._parts(node.value)
        if parts is None:
            return None
        calls, rest = [], []
        for sign, part in parts:
            call = part if isinstance(part, ast.Call) and part in self.calls else self._named(part, node)
            if call is not None and sign == "-":
                return None
            if call is not None:
                calls.append(call)
            elif any(inner in self.calls for inner in walk(part)):
                return None
            else:
                rest.append((sign, part))
        put_together = self._largest if self.joined.names else self._added
        return _Given(node, tuple(calls), tuple(part for _, part in rest), put_together(rest))

    def _added(self, rest: list[tuple[str, ast.expr]]) -> str:
        """Several as one text; "" for nothing, and for a 0."""
        texts = [(sign, self.spot.code.operand(part)) for sign, part in rest]
        text = "".join(f" {sign} {each}" for sign, each in texts).removeprefix(" + ")
        text = f"-{text.removeprefix(' - ')}" if text.startswith(" - ") else text
        return "" if text in ("0", "0.0") else text

    def _largest(self, rest: list[tuple[str, ast.expr]]) -> str:
        """Several as one text: the largest, or the smallest."""
        text = ""
        for _, part in rest:
            one = self.spot.code.expr(part)
            text = self.joined.text.format(total=text, more=one) if text else one
        return text

    def _parts(self, node: ast.expr) -> list[tuple[str, ast.expr]] | None:
        match node:
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right) if not self.joined.names:
                one, two = self._parts(left), self._parts(right)
                if one is None or two is None:
                    return None
                if isinstance(op, ast.Sub):
                    two = [("+" if sign == "-" else "-", part) for sign, part in two]
                return one + two
            case ast.Call(func=func, args=[_, _, *_] as args, keywords=[]) if self.spot.code.src(func) in self.joined.names:
                return None if any(isinstance(each, ast.Starred) for each in args) else [("+", each) for each in args]
        return [("+", node)]

    def _named(self, part: ast.expr, end: ast.Return) -> ast.Call | None:
        """The call whose result has this name, given in a statement just before the `return`."""
        code = self.spot.code
        value = bound_once(self.function, part.id) if isinstance(part, ast.Name) else None
        if not isinstance(value, ast.Call) or value not in self.calls:
            return None
        statement, block = code.statement(value), code.block(end)
        uses = [node for node in walk(self.function) if isinstance(node, ast.Name) and node.id == code.src(part)]
        if len(uses) != 2 or statement not in block or not code.on_own_lines([statement]):
            return None
        between = block[block.index(statement) : block.index(end)]
        if not all(isinstance(each, ast.Assign) and each.value in self.calls for each in between):
            return None
        self.by_name.append(statement)
        return value


def _sums() -> _Joined:
    return _Joined(frozenset(), "0.0", "{total} + {more}")


def _extremes(spot: Spot, name: str) -> _Joined:
    """`max(f(a), f(b))`, and `jnp.maximum` of both."""
    pair = spot.jnp(f"{name}imum")
    infinity = f"{'-' if name == 'max' else ''}{spot.jnp('inf')}"
    names = {pair} | ({name} if spot.is_builtin(name) else set())
    return _Joined(frozenset(names), infinity, f"{pair}({{total}}, {{more}})")


def _arguments(function: ast.FunctionDef, call: ast.Call, names: Sequence[str]) -> dict[str, ast.expr]:
    """What a call gives for each of these parameters, its default where that is a number; fewer where more is not known."""
    starred = any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords)
    if starred or len(call.args) > len(names):
        return {}
    defaults = {each.arg: default for each, default in defaults_of(function.args) if isinstance(default, ast.Constant)}
    written = dict(zip(names, call.args, strict=False)) | {each.arg: each.value for each in call.keywords if each.arg}
    return {name: {**defaults, **written}[name] for name in names if name in written or name in defaults}


def _is_number(spot: Spot, name: str) -> bool:
    return is_single(spot, ast.Name(name)) and kind_of(spot.locals[name]) in ("f", "i") and np.ndim(spot.locals[name]) == 0


RULES: list[Rule] = [on_a_stack]
