"""A helper that returns None for some data, asked by its caller: `found = hit(x)`, `if found is None` → a copy of it within the
caller that gives a flag as well, and zeros in the place of None.

A helper that is one expression stands in the caller's lines instead (`chosen_none`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from jupyter_jitmagic.diagnosis.rewrites.inlining import Inlining, evaluated_once
from jupyter_jitmagic.diagnosis.rewrites.none_first import asked_by_a_flag
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code, Edit, always_returns, is_tested, leaves
from jupyter_jitmagic.source.names import bound_in, free_names, read_first, stored, walk
from jupyter_jitmagic.source.nones import asks_for_none, is_none, is_sure

_HANDED_ON = ast.Return | ast.Call | ast.keyword | ast.BoolOp | ast.Tuple | ast.List | ast.Dict | ast.Assign | ast.IfExp


def with_a_flag(spot: Spot) -> Iterator[Step]:
    """`found = hit(x)` and `if hit(x) is not None`, with all calls of that helper in the function."""
    function, code = spot.function, spot.code
    if not isinstance(spot.node, ast.Call) or not isinstance(spot.node.func, ast.Name):
        return
    made = Inlining.of(spot, spot.node)
    if made is None or not isinstance(function, ast.FunctionDef) or not isinstance(made.function, ast.FunctionDef):
        return
    helper, name = made.function, spot.node.func.id
    if not _may_give_none(helper) or helper.decorator_list or helper in code.ancestors(spot.node):
        return
    if made.source is not code and free_names(helper) & bound_in(function):
        return  # its copy would read the caller's names
    body = helper.body[1:] if ast.get_docstring(helper, clean=False) is not None else helper.body
    flagged = code.fresh(f"{name}_or_zeros", f"{name}_with_a_flag")
    first = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    text = _Flagged(spot, made.source).function(helper, body, flagged, code.indent(first[0]))
    callers = _Callers(spot, function, flagged)
    calls = [node for node in walk(function) if isinstance(node, ast.Call) and code.src(node.func) == name]
    edits: list[Edit] = []
    for call in calls:
        found = callers.given_a_name(call) or callers.asked_at_once(call)
        if found is None:
            return
        edits += found
    if text is not None:
        start = code.region(first[:1])[0]
        yield spot.step("zeros", ((start, start), text), *(((a, b), new) for a, b, new in edits), drops=made.changed)


def _may_give_none(helper: ast.FunctionDef) -> bool:
    """Whether it returns None in one way and something in another."""
    nones = [is_none(node.value) for node in leaves(helper.body, ast.Return) if isinstance(node, ast.Return)]
    return always_returns(helper.body) and any(nones) and not all(nones)


@dataclass
class _Callers:
    """The places of a function that call the helper."""

    spot: Spot
    function: ast.FunctionDef
    flagged: str
    flags: list[str] = field(default_factory=list)

    def given_a_name(self, call: ast.Call) -> list[Edit] | None:
        """`found = hit(x)`, of which nothing is asked but whether it is None before it is taken apart."""
        code = self.spot.code
        match code.parents[call]:
            case ast.Assign(targets=[ast.Name(id=name) as target]):
                pass
            case _:
                return None
        named = [node for node in walk(self.function) if isinstance(node, ast.Name) and node.id == name]
        asked = [
            node for node in walk(self.function) if isinstance(node, ast.Compare) and asks_for_none(node, name) is not None
        ]
        others = [node for node in named if node is not target and code.parents[node] not in asked]
        if not asked or any(not isinstance(node.ctx, ast.Load) or self._may_ask(node) for node in others):
            return None
        flag = self._flag(f"has_{name}")
        edits = [(*code.span(node), asked_by_a_flag(self.spot, node, flag)) for node in asked]
        return [(*code.span(target), f"{flag}, {name}"), (*code.span(call.func), self.flagged), *edits]

    def _may_ask(self, node: ast.Name) -> bool:
        """Whether a use of what may be None goes by that, or hands it on to what may."""
        if is_sure(self.function, node):
            return False
        match parent := self.spot.code.parents[node]:
            case ast.Compare():
                return any(map(is_none, (parent.left, *parent.comparators)))  # `found == None`
            case ast.Assign(targets=[ast.Tuple()]):
                return False
        return is_tested(self.spot.code, node) or isinstance(parent, _HANDED_ON)

    def asked_at_once(self, call: ast.Call) -> list[Edit] | None:
        """`if hit(x) is not None`."""
        code = self.spot.code
        question, statement = code.parents[call], code.statement(call)
        if not isinstance(statement, ast.If) or code.is_elif(statement) or not code.on_own_lines([statement]):
            return None
        match question:
            case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]) if left is call:
                pass
            case _:
                return None
        if not evaluated_once(code, call, statement):
            return None
        flag = self._flag("has_one")
        start = code.region([statement])[0]
        given = code.src(call).removeprefix(code.src(call.func))
        line = f"{code.indent(statement)}{flag} = {self.flagged}{given}[0]\n"
        return [(start, start, line), (*code.span(question), asked_by_a_flag(self.spot, question, flag))]

    def _flag(self, wanted: str) -> str:
        self.flags.append(self.spot.code.fresh(wanted, taken=self.flags))
        return self.flags[-1]


@dataclass
class _Flagged:
    """A function's lines, which give (whether there is something, it or zeros)."""

    spot: Spot
    source: Code

    def function(self, helper: ast.FunctionDef, body: Sequence[ast.stmt], name: str, indent: str) -> str | None:
        text = self._rest(list(body), f"{indent}    ")
        return None if text is None else f"{indent}def {name}({ast.unparse(helper.args)}):\n{text}\n"

    def _rest(self, body: list[ast.stmt], indent: str) -> str | None:
        """The statements from here to the end of the function; None where None is returned behind other lines."""
        for place, statement in enumerate(body):
            before = self.source.block_text(body[:place], indent) if place else ""
            if isinstance(statement, ast.Return) and statement.value is not None and not is_none(statement.value):
                return f"{before}{indent}return True, {self._as_one(statement.value)}\n"
            if isinstance(statement, ast.If) and leaves([statement], ast.Return):
                after = body[place + 1 :]
                sides = [[*side, *([] if always_returns(side) else after)] for side in (statement.body, statement.orelse)]
                chosen = self._chosen(statement, sides, indent)
                return None if chosen is None else before + chosen
            if leaves([statement], ast.Return):
                return None
        return None

    def _chosen(self, statement: ast.If, sides: list[list[ast.stmt]], indent: str) -> str | None:
        """`if test: return None` before the rest, or the other way round, or something on both sides."""
        empty = [isinstance(side[0], ast.Return) and is_none(side[0].value) for side in sides]
        if all(empty):
            return None
        names, text = [], ""
        for side, is_empty, what in zip(sides, empty, ("if_so", "otherwise"), strict=True):
            if is_empty:
                names.append("")
                continue
            names.append(self.source.fresh(what))
            inner = self._rest(side, f"{indent}    ")
            if inner is None:
                return None
            changed = [name for name in dict.fromkeys(stored(side)) if name in read_first(side)]
            given = ", ".join(f"{name}={name}" for name in changed)
            text += f"{indent}def {names[-1]}({given}):\n{inner}\n"
        if any(empty):
            zeros, spot = self.source.fresh("zeros"), self.spot
            shapes = f"{spot.jax('eval_shape')}({next(filter(None, names))})"
            made = f"{spot.jax('tree.map')}(lambda s: {spot.jnp('zeros')}(s.shape, s.dtype), {shapes})"
            text += f"{indent}{zeros} = {made}\n"
            names = [each or f"lambda: {zeros}" for each in names]
        test = self.source.expr(statement.test)
        return f"{text}{indent}return {self.spot.lax('cond')}({test}, {', '.join(names)})\n"

    def _as_one(self, value: ast.expr) -> str:
        """What is returned, as one part of a pair."""
        text = self.source.expr(value)
        return f"({text})" if isinstance(value, ast.IfExp | ast.Lambda) or "\n" in text else text


OUTWARD: list[Rule] = [with_a_flag]
