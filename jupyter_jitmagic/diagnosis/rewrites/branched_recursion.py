"""Recursion that calls itself more than once, and adds up what the calls give or takes the largest: a loop over the calls that
are still to be made.

`return f(a, m) + f(m, b)` → both are put on a stack of arrays, of which each round takes the last. Python's own recursion is at
most 1,000 calls deep, so no more than so many wait.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jupyter_jitmagic.diagnosis.proof.leaves import kind_of
from jupyter_jitmagic.diagnosis.rewrites.recursion import in_a_loop, own_calls
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.singles import is_single
from jupyter_jitmagic.source.code import always_returns, leaves
from jupyter_jitmagic.source.names import bound_once, stored, walk

_DEPTH = 1000
_NOTE = f"at most {_DEPTH:,} calls may wait, as many as Python's own recursion is deep"


@dataclass(frozen=True)
class _Given:
    """What the function gives back at one place: what some calls of itself give, and `rest`, put together."""

    node: ast.Return
    calls: tuple[ast.Call, ...]
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
    for joined in (_sums(), _extremes(spot, "max"), _extremes(spot, "min")):
        reading = _Reading(spot, function, set(calls), joined)
        given = [reading.of(node) for node in returns]
        known = [each for each in given if each is not None]
        met = [call for each in known for call in each.calls]
        if len(known) < len(given) or len(met) != len(calls) or max(len(each.calls) for each in known) < 2:
            continue
        values = [_arguments(spot, call, names) for call in met]
        again = set(stored(function.body))  # `tol = tol / 2` above `f(a, m, tol)`
        changed = [name for name in names if name in again or any(each and each[name] != name for each in values)]
        if None in values or not changed or not all(_is_number(spot, name) for name in changed):
            return
        if any(in_a_loop(code, each.node) for each in known):
            return
        yield _step(spot, function, joined, known, changed, reading.by_name)
        return


def _step(
    spot: Spot, function: ast.FunctionDef, joined: _Joined, given: Sequence[_Given], changed: list[str], gone: list[ast.stmt]
) -> Step:
    code = spot.code
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    indent = code.indent(body[0])
    total, left = code.fresh("total", "found", "result"), code.fresh("left", "waiting", "calls_left")
    pending = {name: code.fresh(f"pending_{name}", f"{name}_pending") for name in changed}
    edits = [(*code.region([statement]), "") for statement in gone]
    for each in given:
        inner = code.indent(each.node)
        lines = [f"{total} = {joined.text.format(total=total, more=each.rest)}"] if each.rest else []
        values = [_arguments(spot, call, changed) or {} for call in reversed(each.calls)]  # the first is taken first
        for name, held in pending.items() if values else ():
            puts = (f".at[{left + f' + {k}' * (k > 0)}].set({value[name]})" for k, value in enumerate(values))
            lines.append(f"{held} = {held}{''.join(puts)}")
        lines += [f"{left} = {left} + {len(values)}"] if values else []
        edits.append((*code.span(each.node), "".join(f"{line}\n{inner}" for line in lines) + "continue"))
    most = max(len(each.calls) for each in given)
    room = (most - 1) * _DEPTH
    start = "0" if joined.start == "0.0" and _are_whole(spot, given) else joined.start
    lines = [f"{total} = {start}"]
    for name, held in pending.items():
        lines.append(f"{held} = {spot.jnp('zeros')}({room}, {_dtype(spot, name, given)}).at[0].set({name})")
    lines += [f"{left} = 1", f"while ({left} > 0) & ({left} < {room}):"]
    taken = [f"{left} = {left} - 1", f"{', '.join(changed)} = {', '.join(f'{held}[{left}]' for held in pending.values())}"]
    text = "".join(f"{indent}{line}\n" for line in lines) + "".join(f"{indent}    {line}\n" for line in taken)
    text += code.block_text(body, f"{indent}    ", edits)
    return spot.step("stack", (code.region(body, comments=True), f"{text}{indent}return {total}\n"), note=_NOTE)


class _Reading:
    """What the `return`s of a function put together."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, calls: set[ast.Call], joined: _Joined) -> None:
        self.spot, self.function, self.calls, self.joined = spot, function, calls, joined
        self.by_name: list[ast.stmt] = []
        """Statements that give a call's result a name, which is put together behind them."""

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
                rest.append((sign, self.spot.code.expr(part) if len(parts) == 1 else self.spot.code.operand(part)))
        if self.joined.names:
            return _Given(node, tuple(calls), self._of_all([text for _, text in rest]))
        first, *others = rest or [("+", "0")]
        text = first[1] if first[0] == "+" else f"-{first[1]}"
        text += "".join(f" {sign} {part}" for sign, part in others)
        return _Given(node, tuple(calls), "" if text in ("0", "0.0") else text)

    def _of_all(self, texts: list[str]) -> str:
        """The largest or smallest of some."""
        name = next(iter(sorted(self.joined.names)))
        return texts[0] if len(texts) == 1 else f"{name}({', '.join(texts)})" if texts else ""

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


def _arguments(spot: Spot, call: ast.Call, names: Sequence[str]) -> dict[str, str] | None:
    """The text of what a call gives for each parameter; None where that is not known."""
    function = spot.function
    assert isinstance(function, ast.FunctionDef)
    everything = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    own = everything[len(everything) - len(_given_names(spot, function)) :]
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        return None
    given = {name: spot.code.expr(value) for name, value in zip(own, call.args, strict=False)}
    given |= {each.arg: spot.code.expr(each.value) for each in call.keywords if each.arg}
    defaults = dict(zip(reversed(everything), reversed(function.args.defaults), strict=False))
    for name in own:
        if name not in given:
            default = defaults.get(name)
            if not isinstance(default, ast.Constant):
                return None
            given[name] = spot.code.src(default)
    return {name: given[name] for name in names}


def _given_names(spot: Spot, function: ast.FunctionDef) -> list[str]:
    found = own_calls(spot, function, within=True)
    return found[1] if found is not None else []


def _is_number(spot: Spot, name: str) -> bool:
    return is_single(spot, ast.Name(name)) and kind_of(spot.locals[name]) in ("f", "i") and np.ndim(spot.locals[name]) == 0


def _dtype(spot: Spot, name: str, given: Sequence[_Given]) -> str:
    """What holds a parameter's numbers: floats where a call gives one."""
    places = [call for each in given for call in each.calls]
    facts = [spot.fact(part) for call in places for part in _node_of(spot, call, name)]
    whole = kind_of(spot.locals.get(name)) == "i" and all(fact is not None and fact.dtype == "i" for fact in facts)
    return f"{spot.jnp('result_type')}({name}{'' if whole else ', float'})"


def _node_of(spot: Spot, call: ast.Call, name: str) -> list[ast.expr]:
    function = spot.function
    names = _given_names(spot, function) if isinstance(function, ast.FunctionDef) else []
    by_place = [value for known, value in zip(names, call.args, strict=False) if known == name]
    return by_place + [each.value for each in call.keywords if each.arg == name]


def _are_whole(spot: Spot, given: Sequence[_Given]) -> bool:
    """Whether all that is added up is whole."""
    ends = [each.node.value for each in given if not each.calls and each.node.value is not None]
    facts = [spot.fact(each) for each in ends]
    return bool(ends) and all(fact is not None and fact.dtype == "i" for fact in facts)


RULES: list[Rule] = [on_a_stack]
