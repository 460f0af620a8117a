"""A helper that returns None for some data, asked by its caller: `found = hit(x)`, `if found is None` → a copy of it within the
caller that gives a flag as well, and zeros in the place of None.

A helper that is one expression stands in the caller's lines instead (`chosen_none`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.inlining import Inlining
from jupyter_jitmagic.diagnosis.rewrites.none_first import asked_by_a_flag
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code, Edit, always_returns, leaves
from jupyter_jitmagic.source.names import read_first, stored, walk


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
    body = helper.body[1:] if ast.get_docstring(helper, clean=False) is not None else helper.body
    flagged = code.fresh(f"{name}_or_zeros", f"{name}_with_a_flag")
    lines = _Flagged(spot, made.source).function(helper, body, flagged)
    calls = [node for node in walk(function) if isinstance(node, ast.Call) and code.src(node.func) == name]
    edits: list[Edit] = []
    for call in calls:
        found = _given_a_name(spot, function, call, flagged) or _asked_at_once(spot, call, flagged)
        if found is None:
            return
        edits += found
    if lines is None or not edits:
        return
    first = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    start = code.region(first[:1])[0]
    indented = "".join(f"{code.indent(first[0])}{line}\n" if line else "\n" for line in lines)
    changes = [((start, start), indented), *(((begin, end), text) for begin, end, text in edits)]
    yield spot.step("flag", *changes, drops=made.changed)


def _may_give_none(helper: ast.FunctionDef) -> bool:
    """Whether it returns None in one way and something in another."""
    nones = [_is_none(node.value) for node in leaves(helper.body, ast.Return) if isinstance(node, ast.Return)]
    return always_returns(helper.body) and any(nones) and not all(nones)


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _given_a_name(spot: Spot, function: ast.FunctionDef, call: ast.Call, flagged: str) -> list[Edit] | None:
    """`found = hit(x)`, and what is asked of `found`."""
    code = spot.code
    match code.parents[call]:
        case ast.Assign(targets=[ast.Name(id=name)]) as statement:
            pass
        case _:
            return None
    stores = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
    asked = [node for node in walk(function) if _asks(node, name)]
    if len(stores) != 1 or not asked:
        return None
    flag = code.fresh(f"has_{name}", f"{name}_is_set")
    edits = [(*code.span(node), asked_by_a_flag(spot, node, flag)) for node in asked]
    begin, _ = code.span(statement)
    return [(begin, code.span(call.func)[1], f"{flag}, {name} = {flagged}"), *edits]


def _asked_at_once(spot: Spot, call: ast.Call, flagged: str) -> list[Edit] | None:
    """`if hit(x) is not None`."""
    code = spot.code
    question, statement = code.parents[call], code.statement(call)
    if not isinstance(statement, ast.If) or code.is_elif(statement) or not code.on_own_lines([statement]):
        return None
    match question:
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]) if left is call:
            pass
        case _:
            return None
    if not any(node is question for node in walk(statement.test)):
        return None
    flag = code.fresh("has_one", "is_there")
    start = code.region([statement])[0]
    given = code.src(call).removeprefix(code.src(call.func))
    line = f"{code.indent(statement)}{flag}, _ = {flagged}{given}\n"
    return [(start, start, line), (*code.span(question), asked_by_a_flag(spot, question, flag))]


def _asks(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Compare(left=ast.Name(id=asked), ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return asked == name
    return False


@dataclass
class _Flagged:
    """A function's lines, which give (whether there is something, it or zeros)."""

    spot: Spot
    source: Code
    functions: int = 0

    def function(self, helper: ast.FunctionDef, body: Sequence[ast.stmt], name: str) -> list[str] | None:
        text = self._rest(list(body), "    ")
        return None if text is None else [f"def {name}({ast.unparse(helper.args)}):", *text, ""]

    def _rest(self, body: list[ast.stmt], indent: str) -> list[str] | None:
        """The statements from here to the end of the function."""
        for place, statement in enumerate(body):
            if isinstance(statement, ast.Return):
                given = "None" if statement.value is None else self.source.expr(statement.value)
                if _is_none(statement.value):
                    return None  # a way that begins so is known where it is chosen
                return [*self._lines(body[:place], indent), f"{indent}return True, {_as_one(given, statement.value)}"]
            if leaves([statement], ast.Return):
                if not isinstance(statement, ast.If):
                    return None
                after = body[place + 1 :]
                sides = [[*side, *([] if always_returns(side) else after)] for side in (statement.body, statement.orelse)]
                chosen = self._chosen(statement, sides, indent)
                return None if chosen is None else [*self._lines(body[:place], indent), *chosen]
        return None

    def _chosen(self, statement: ast.If, sides: list[list[ast.stmt]], indent: str) -> list[str] | None:
        """`if test: return None` before the rest, or the other way round, or something on both sides."""
        empty = [_gives_none_at_once(side) for side in sides]
        if all(empty):
            return None
        names, lines = [], []
        for side, is_empty, what in zip(sides, empty, ("if_so", "otherwise"), strict=True):
            if is_empty:
                names.append("")
                continue
            self.functions += 1
            names.append(what if self.functions == 1 else f"{what}_{self.functions}")
            inner = self._rest(side, f"{indent}    ")
            if inner is None:
                return None
            changed = [name for name in dict.fromkeys(stored(side)) if name in read_first(side)]
            given = ", ".join(f"{name}={name}" for name in changed)
            lines += [f"{indent}def {names[-1]}({given}):", *inner, ""]
        if any(empty):
            full = next(filter(None, names))
            zeros = "zeros" if full in ("if_so", "otherwise") else f"zeros_{self.functions}"
            shapes, jnp_zeros = self.spot.jax("eval_shape"), self.spot.jnp("zeros")
            tree_map = self.spot.jax("tree.map")
            lines.append(f"{indent}{zeros} = {tree_map}(lambda s: {jnp_zeros}(s.shape, s.dtype), {shapes}({full}))")
            names = [each or f"lambda: {zeros}" for each in names]
        test = self.source.expr(statement.test)
        return [*lines, f"{indent}return {self.spot.lax('cond')}({test}, {', '.join(names)})"]

    def _lines(self, body: Sequence[ast.stmt], indent: str) -> list[str]:
        return self.source.block_text(list(body), indent).splitlines() if body else []


def _as_one(text: str, value: ast.expr | None) -> str:
    """What is returned, as one part of a pair."""
    bare = isinstance(value, ast.Tuple) and not text.startswith("(")
    return f"({text})" if bare or isinstance(value, ast.IfExp | ast.Lambda) else text


def _gives_none_at_once(side: Sequence[ast.stmt]) -> bool:
    """Whether a way through the function returns None and does nothing else."""
    return isinstance(side[0], ast.Return) and _is_none(side[0].value)


OUTWARD: list[Rule] = [with_a_flag]
