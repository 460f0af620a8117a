"""A `while` whose rounds Python's own numbers count: first the values that they take, then a `for` over these.

`while t < t_end: …; t += dt` has as many rounds whatever the data is, so that a compiled loop has a length, and a list that it
fills one as well.
"""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import SCOPES, loaded, stored, walk_scope

MOST_ROUNDS = 200_000
MOST_BITS = 1024  # of an int that only grows
_ARITHMETIC = ast.Compare | ast.BoolOp | ast.BinOp | ast.UnaryOp | ast.Constant
_OPERATORS = ast.Add | ast.Sub | ast.Mult | ast.Div | ast.FloorDiv | ast.Mod | ast.unaryop | ast.boolop | ast.cmpop
"""No powers: one of large numbers takes as long as it likes."""


class Stepped(NamedTuple):
    """A loop that a number counts.

    Attributes:
        name: the number.
        step: the statement of the body that counts.
        rounds: how many rounds it has from here on.
    """

    name: str
    step: ast.Assign | ast.AugAssign
    rounds: int


def stepped(spot: Spot, loop: ast.While) -> Stepped | None:
    """How a loop is counted; None where something else than Python's own numbers ends it."""
    written = stored(loop.body)
    counters = loaded([loop.test]) & set(written)
    if len(counters) != 1 or loop.orelse or leaves(loop.body, ast.Continue):
        return None
    (name,) = counters
    steps = [each for each in loop.body if isinstance(each, ast.Assign | ast.AugAssign) and _target(each) == name]
    stores = [each for each in walk_scope(loop.body) if isinstance(each, ast.Name) and each.id == name and _is_set(each)]
    if len(steps) != 1 or len(stores) != 1 or any(isinstance(each, SCOPES) for each in walk_scope(loop.body)):
        return None
    (step,) = steps
    value = ast.BinOp(ast.Name(name, ast.Load()), step.op, step.value) if isinstance(step, ast.AugAssign) else step.value
    others = set(written) - {name}
    test, following = (_known(spot, each, name, others) for each in (loop.test, value))
    first = spot.locals.get(name)
    if test is None or following is None or not _is_number(first):
        return None
    rounds = _rounds(ast.unparse(test), ast.unparse(following), name, first)
    return Stepped(name, step, rounds) if rounds else None


def over_its_values(spot: Spot, loop: ast.While, counted: Stepped) -> Step:
    """The loop as a `for` over the values that its number takes."""
    code, indent, name = spot.code, spot.code.indent(loop), counted.name
    values = code.fresh("times" if name == "t" else f"{name}s", f"{name}_values", "values")
    head = (
        f"{indent}{values} = []\n{indent}while {code.expr(loop.test)}:\n{indent}    {values}.append({name})\n"
        f"{indent}    {code.src(counted.step)}\n{indent}for {name} in {values}:\n"
    )
    behind = loop.body[loop.body.index(counted.step) + 1 :]
    spared = name not in loaded(behind) and name not in code.live_after(loop) and len(loop.body) > 1
    body = [each for each in loop.body if each is not counted.step] if spared else loop.body
    return spot.step("for", (code.region([loop]), head + code.block_text(body, indent + "    ")))


def whiles_around(spot: Spot) -> Iterator[ast.While]:
    """The `while`s around the place within its function, innermost first."""
    for at in spot.code.ancestors(spot.node):
        if isinstance(at, SCOPES):
            return
        if isinstance(at, ast.While):
            yield at


def _target(statement: ast.Assign | ast.AugAssign) -> str:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""


def _is_set(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _known(spot: Spot, node: ast.expr, counter: str, written: set[str]) -> ast.expr | None:
    """An expression of Python's own numbers with the numbers in it, but for the counter; None of what else it may be."""
    made = _Known(spot, counter, written)
    known = ast.fix_missing_locations(made.visit(copy.deepcopy(node)))
    return known if made.all else None


class _Known(ast.NodeTransformer):
    def __init__(self, spot: Spot, counter: str, written: set[str]) -> None:
        self.spot, self.counter, self.written, self.all = spot, counter, written, True

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Name) and node.id == self.counter:
            return node
        if isinstance(node, ast.Name | ast.Attribute):
            value = None if self.written & loaded([node]) else self.spot.held(node)
            self.all &= _is_number(value)
            return ast.Constant(value)
        self.all &= isinstance(node, _ARITHMETIC | _OPERATORS)
        return self.generic_visit(node)


@functools.lru_cache(maxsize=64)  # each place in the loop asks for it
def _rounds(test_text: str, step_text: str, name: str, value: Any) -> int:
    """How often a round begins; 0 where that has no end, or is not known."""
    test, step = (compile(text, "<rounds>", "eval") for text in (test_text, step_text))
    nothing: dict[str, Any] = {"__builtins__": {}}
    try:
        for rounds in range(MOST_ROUNDS):
            if not eval(test, nothing, {name: value}):  # noqa: S307 - arithmetic with numbers that are known
                return rounds
            before, value = value, eval(step, nothing, {name: value})  # noqa: S307
            if value == before:
                return 0
            if isinstance(value, int) and value.bit_length() > MOST_BITS:
                return 0
    except (ArithmeticError, TypeError, ValueError):
        pass  # plain Python raises there as well
    return 0
