"""A loop of many rounds around a place that cannot be traced: `lax.fori_loop`. Left to Python, every round would be compiled
for itself, which takes XLA seconds to minutes."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator, Sequence

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites import none_first
from jupyter_jitmagic.diagnosis.rewrites.buffers import updated_in
from jupyter_jitmagic.diagnosis.rewrites.carrying import Carried
from jupyter_jitmagic.diagnosis.rewrites.containers import as_arrays
from jupyter_jitmagic.diagnosis.rewrites.elements import is_drawn
from jupyter_jitmagic.diagnosis.rewrites.loop_exits import is_call, known_number, numbered, turned_round, without_exits
from jupyter_jitmagic.diagnosis.rewrites.mapping import Comprehension, mapped
from jupyter_jitmagic.diagnosis.rewrites.rules import ManyRounds, Obstacle, Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.stepped import over_its_values, stepped, whiles_around
from jupyter_jitmagic.sandbox.known_effects import MUTATORS
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import SCOPES, target_names, walk_scope

MOST_UNROLLED = 400  # operations of all rounds
MOST_OF_HUGE = 40  # of a program that is too large as it is: derivatives of a loop have many more than it has itself
_DRAWN = 40  # operations that one draw of a random number makes
_CALLED = 4  # those of another call, about
_OPERATIONS = ast.BinOp | ast.UnaryOp | ast.Compare | ast.Subscript | ast.IfExp


def rolled(spot: Spot) -> Iterator[Step]:
    """`for x in xs: …` around the place, where its rounds make many operations → `lax.fori_loop` over their number; a
    comprehension → `jax.vmap`."""
    most = MOST_OF_HUGE if isinstance(spot.error, ManyRounds) and spot.error.huge else MOST_UNROLLED
    for loop in _around(spot):
        if isinstance(loop, Comprehension):
            # a comprehension's own frame does not know the bounds of its range
            unknown = isinstance(spot.error, ManyRounds) and not _length(spot, loop.generators[0].iter)
            steps = list(mapped(spot, loop)) if unknown or _weight(spot, loop) >= most else []
            if steps:
                yield from steps
                return
            continue
        rounds = _length(spot, loop.iter)
        if rounds * _operations(spot, loop.body) < most or leaves(loop.body, (ast.Break, ast.Return)):
            continue
        steps = []
        with contextlib.suppress(Obstacle):
            steps = list(_steps(spot, loop))
        if steps:
            yield from steps
            return


def counted_by_numbers(spot: Spot) -> Iterator[Step]:
    """A `while` of many rounds around the place that Python's own numbers count → a `for` over their values."""
    most = MOST_OF_HUGE if isinstance(spot.error, ManyRounds) and spot.error.huge else MOST_UNROLLED
    for loop in whiles_around(spot):
        counted = None if _changes_an_object(loop) else stepped(spot, loop)
        if counted is not None and counted.rounds * _operations(spot, loop.body) >= most:
            yield over_its_values(spot, loop, counted)
            return


def _changes_an_object(loop: ast.For | ast.While) -> bool:
    """Whether it writes attributes, or adds to a list that is one: no compiled loop carries these, and another form of the
    loop helps nobody."""
    for node in walk_scope(loop.body):
        match node:
            case ast.Attribute(ctx=ast.Store()):
                return True
            case ast.Call(func=ast.Attribute(value=ast.Attribute(), attr=method)) if method in MUTATORS:
                return True
    return False


def _around(spot: Spot) -> list[ast.For | Comprehension]:
    """The loops around the place within its function, outermost first; a loop's own header is none of its rounds."""
    found: list[ast.For | Comprehension] = []
    below: ast.AST = spot.node
    for at in spot.code.ancestors(spot.node):
        if isinstance(at, SCOPES):
            break
        if (isinstance(at, ast.For) and below is not at.iter) or (isinstance(at, Comprehension) and below is at.elt):
            found.append(at)
        below = at
    return found[::-1]


def _steps(spot: Spot, loop: ast.For) -> Iterator[Step]:
    if leaves(loop.body, ast.Continue):
        yield from (step for step in without_exits(spot, loop) if step.pattern == "flag")
        return
    counted = [name for at in ast.walk(loop) if isinstance(at, ast.For) for name in target_names(at.target)]
    for first in (as_arrays(spot, loop), updated_in(spot, loop.body, counted), none_first.flagged(spot, loop)):
        steps = list(first)
        if steps:
            yield from steps
            return
    if isinstance(loop.iter, ast.Call) and is_call(spot, loop.iter, "range") and isinstance(loop.target, ast.Name):
        yield from Carried(spot, loop, target_names(loop.target)).for_steps(loop.iter)
        return
    turned = turned_round(spot, loop.iter)
    if isinstance(turned, ast.Call) and is_call(spot, turned, "range") and len(turned.args) < 3:
        low, high = ["0", *map(spot.code.operand, turned.args)][-2:]
        yield spot.step("range", (loop.iter, f"range({high} - 1, {'-1' if low == '0' else f'{low} - 1'}, -1)"))
        return
    header = numbered(spot, loop)
    if header is None or loop.orelse or _changes_an_object(loop):
        return
    code, indent = spot.code, spot.code.indent(loop)
    lines = [f"{indent}{line}\n" for line in header.setup]
    lines.append(f"{indent}for {header.index} in {header.range}:\n")
    lines += [f"{indent}    {line}\n" for line in header.first]
    yield spot.step("range", (code.region([loop]), "".join(lines) + code.block_text(loop.body, indent + "    ")))


def _length(spot: Spot, iterable: ast.expr) -> int:
    """How many rounds a loop over it has, in the user's own call; 0 where that is not known."""
    here = _length_here(spot, iterable)
    return spot.error.rounds(here) if isinstance(spot.error, ManyRounds) else here


def _length_here(spot: Spot, iterable: ast.expr) -> int:
    iterable = turned_round(spot, iterable) or iterable
    match iterable:
        case ast.Call(func=ast.Name(id="range"), args=args, keywords=[]) if spot.is_builtin("range"):
            numbers = [known_number(spot, each) for each in args]
            known = [number for number in numbers if number is not None]
            return len(range(*known)) if len(known) == len(numbers) and 0 not in known[2:] else 0
        case ast.Call(func=ast.Name(id="enumerate" as name), args=[inner, *_]) if spot.is_builtin(name):
            return _length_here(spot, inner)
        case ast.Call(func=ast.Name(id="zip"), args=[first, *_]) if spot.is_builtin("zip"):
            return _length_here(spot, first)
    value = spot.value(iterable)
    if isinstance(value, jax.Array | np.ndarray):
        return value.shape[0] if value.ndim else 0
    if isinstance(value, list | tuple | range):
        return len(value)
    fact = spot.fact(iterable)
    return max(fact.length, 0) if fact is not None and fact.sort in ("array", "host", "list", "tuple") else 0


def _operations(spot: Spot, body: Sequence[ast.stmt]) -> int:
    """About how many operations a round makes."""
    return sum(_weight(spot, node) for node in walk_scope(body))


def _weight(spot: Spot, node: ast.AST) -> int:
    if isinstance(node, ast.Call):
        return _DRAWN if is_drawn(spot, node.func) else _CALLED
    if isinstance(node, Comprehension):
        rounds = _length(spot, node.generators[0].iter)
        return max(rounds, 1) * sum(_weight(spot, inner) for inner in walk_scope([ast.Expr(node.elt)]))
    if isinstance(node, ast.For):
        return max(_length(spot, node.iter) - 1, 0) * _operations(spot, node.body)
    return isinstance(node, _OPERATIONS)


RULES: list[Rule] = [rolled, counted_by_numbers]
