"""Walks from place to place, of which the text says how many rounds they have: `while parent[node] >= 0: node = parent[node]`.

What a round does depends on the place alone at which it begins. A place at which one begins again would be come to for ever,
so a walk that ends has no more rounds than there are places.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.met_once import without_int
from jupyter_jitmagic.diagnosis.rewrites.rounds import conjuncts
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import loaded, read_first, stored, walk_scope

OUTSIDE = {"negative int": "a walk that comes to places below 0 or behind the last row"}
_FIXED = (jax.Array, np.ndarray, np.generic, int, float, types.ModuleType, type(None))


def rows_walked(spot: Spot, loop: ast.For | ast.While, statement: ast.stmt) -> tuple[str, dict[str, str]]:
    """(how often a statement of a walk is come to at most, as text; what is left out of that): there are as many places as the
    array has rows that is read at the place where the walk is. "" for other loops."""
    if not isinstance(loop, ast.While) or not _is_steady(spot, loop):
        return "", {}
    given = {*stored(loop.body)}
    flags = {name for part in conjuncts(loop.test) if (name := _flag(spot, part))}
    carried = ((read_first(loop.body) | loaded([loop.test])) & given) - flags
    places = [name for name in carried if not _is_kept_for_itself(loop, name)]
    reads = [node for node in _parts(loop) if isinstance(node, ast.Name) and [node.id] == places and _is_read(node)]
    indexed = {read: array for read in reads if (array := _array_read(spot, read)) and array not in given}
    if not indexed:
        return "", {}
    fact = spot.fact(next(iter(indexed)))
    if fact is None or (fact.ndim, fact.dtype) != (0, "i"):
        return "", {}
    array = indexed[min(indexed, key=lambda read: _decides_little(spot, read, places))]
    most = f"len({array})"
    block = spot.code.block(statement)
    moved_before = set(places) & set(stored(block[: block.index(statement)]))
    if not moved_before and (flags or leaves(loop.body, ast.Break)):
        most += " + 1"  # the place at which it ends is no row, perhaps
    alone = all(read in indexed or _is_tested_or_appended(spot, read) for read in reads)
    return most, {} if alone else OUTSIDE


def _decides_little(spot: Spot, read: ast.Name, places: list[str]) -> int:
    """How little an array that is read at the place has to do with where the walk goes on: an appended item has nothing."""
    match statement := spot.code.statement(read):
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="append"))):
            return 2
    return 0 if set(places) & set(stored([statement])) and not isinstance(statement, ast.While) else 1


def _parts(loop: ast.While) -> Iterator[ast.AST]:
    return (part for each in (loop.test, *loop.body) for part in ast.walk(each))


def _is_read(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Load)


def _array_read(spot: Spot, place: ast.Name) -> str:
    """The array of `array[place]`, `array[place, 1]`; "" where the place is read otherwise."""
    at: ast.AST = place
    while isinstance(around := spot.code.parents[at], ast.expr) and without_int(around) is at:
        at = around  # `int(place)`
    if isinstance(around, ast.Tuple) and around.elts[0] is at:
        at, around = around, spot.code.parents[around]
    match around:
        case ast.Subscript(value=ast.Name(id=array), slice=index) if index is at:
            held = spot.locals.get(array)
            return array if isinstance(held, jax.Array | np.ndarray) and held.ndim else ""
    return ""


def _is_tested_or_appended(spot: Spot, place: ast.Name) -> bool:
    match spot.code.parents[place]:
        case ast.Compare() | ast.Call(func=ast.Attribute(attr="append")):
            return True
    return False


def _is_steady(spot: Spot, loop: ast.While) -> bool:
    """Whether nothing changes in a round but names of the loop's own, and lists to which it appends and which it does not
    read."""
    appended = {each.func.value for each in _appends(loop)}  # type: ignore[attr-defined]
    filled = {node.id for node in appended if isinstance(node, ast.Name)}
    for node in _parts(loop):
        match node:
            case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
                return False
            case ast.Yield() | ast.YieldFrom() | ast.Await() | ast.Global() | ast.Nonlocal() | ast.NamedExpr():
                return False
            case ast.Name(id=name) if name in filled and node not in appended:
                return False
            case ast.Call(func=ast.Attribute(value=ast.Name() as owner)) if owner not in appended:
                if not isinstance(spot.value(owner), _FIXED):
                    return False
            case ast.Call(func=ast.Name(id="next" | "iter" | "input")):
                return False
        if isinstance(node, ast.Call) and "random" in spot.code.src(node.func):
            return False
    return True


def _appends(loop: ast.While) -> Iterator[ast.Call]:
    for node in walk_scope(loop.body):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(), attr="append"), args=[_]) as call):
                yield call


def _flag(spot: Spot, test: ast.expr) -> str:
    """The name of a flag that is the same whenever a round begins: `while not done:`."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=name)):
            return name
        case ast.Call(func=ast.Attribute(attr="logical_not"), args=[ast.Name(id=name)], keywords=[]):
            return name
        case ast.Name(id=name):
            held = spot.locals.get(name)
            return name if isinstance(held, bool) else ""
    return ""


def _is_kept_for_itself(loop: ast.While, name: str) -> bool:
    """Whether a name is read in a loop for nothing but what the name itself is given: `depth += 1`."""
    own = {part for each in walk_scope(loop.body) if _gives_alone(each, name) for part in ast.walk(each)}
    reads = (node for node in _parts(loop) if isinstance(node, ast.Name) and node.id == name and _is_read(node))
    return all(node in own for node in reads)


def _gives_alone(statement: ast.AST, name: str) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)]) | ast.AugAssign(target=ast.Name(id=target)):
            return target == name
    return False
