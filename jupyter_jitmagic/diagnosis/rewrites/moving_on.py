"""Whether a loop moves one of its numbers on in every round, however far: `i = j`, where j began at i and was counted up.

`while i < n: j = i; while j < n and x[j] == x[i]: j += 1; …; i = j` has n rounds at most. A round that left i where it was
would find everything as the round before did, and plain Python would never end.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jupyter_jitmagic.source.names import loaded, read_first, stored, walk_scope


@dataclass(frozen=True)
class _Least:
    """What a number is at least: `more`; or so much more than the loop's own number was when the round began, if `ahead`."""

    ahead: bool
    more: int


_Known = Mapping[str, _Least]
"""What is known of the names at a place; None in its stead where no way leads there."""


def moves_on(loop: ast.While, name: str) -> bool:
    """Whether no round of a loop makes a number smaller, and every one makes it larger, by a whole number of at least one, as
    long as the loop ends at all."""
    ends = _ends_of_a_round(loop, name)
    bounds = [known.get(name) for known in ends]
    least = min((bound.more for bound in bounds if bound is not None and bound.ahead), default=0)
    if any(bound is None or not bound.ahead for bound in bounds):
        return False
    return bool(bounds) and (least > 0 or (least == 0 and _repeats_itself(loop, name)))


def _ends_of_a_round(loop: ast.While, name: str) -> list[_Known]:
    """What is known where a round ends and the next one may begin."""
    ends: list[_Known] = []
    end = _after(loop.body, {name: _Least(ahead=True, more=0)}, ends, [])
    return ends if end is None else [*ends, end]


def _after(body: Sequence[ast.stmt], known: _Known | None, ends: list[_Known], left: list[_Known]) -> _Known | None:
    """What is known behind some statements; `ends`, `left`: also where they begin the next round, and where they leave it."""
    for statement in body:
        if known is None:
            return None
        known = _behind(statement, known, ends, left)
    return known


def _behind(statement: ast.stmt, known: _Known, ends: list[_Known], left: list[_Known]) -> _Known | None:
    match statement:
        case ast.Continue():
            ends.append(known)
            return None
        case ast.Break():
            left.append(known)
            return None
        case ast.Return() | ast.Raise():
            return None
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return _given(known, name, _least(value, known))
        case ast.Assign(targets=[ast.Tuple(elts=targets) as target], value=ast.Tuple(elts=values)) if len(targets) == len(
            values
        ):
            after = _without(known, [target])
            for each, value in zip(targets, values, strict=True):
                after = _given(after, each.id, _least(value, known)) if isinstance(each, ast.Name) else after
            return after
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add() | ast.Sub() as op, value=value):
            return _given(known, name, _least(ast.BinOp(ast.Name(name, ast.Load()), op, value), known))
        case ast.If(body=body, orelse=orelse):
            return _either([_after(body, known, ends, left), _after(orelse, known, ends, left)])
        case ast.While(orelse=[]) | ast.For(orelse=[]):
            return _behind_a_loop(statement, known)
    return _without(known, [statement])


def _behind_a_loop(loop: ast.While | ast.For, known: _Known) -> _Known:
    """What is known behind an inner loop: what no round of it makes untrue."""
    held = _without(known, [loop.target]) if isinstance(loop, ast.For) else known
    while True:
        ends: list[_Known] = []
        left: list[_Known] = []
        ends += [end] if (end := _after(loop.body, held, ends, left)) is not None else []
        true = {name: least for name, least in held.items() if all(_holds(least, each.get(name)) for each in ends)}
        if len(true) == len(held):
            return _alike([held, *left])
        held = true


def _holds(least: _Least, now: _Least | None) -> bool:
    return now is not None and now.ahead == least.ahead and now.more >= least.more


def _least(value: ast.expr, known: _Known) -> _Least | None:
    """What an expression is at least; None where nothing is known."""
    match value:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return _Least(ahead=False, more=number)
        case ast.Name(id=name):
            return known.get(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, other = _least(left, known), _least(right, known)
            if one is None or other is None or (one.ahead and other.ahead):
                return None
            return _Least(one.ahead or other.ahead, one.more + other.more)
        case ast.BinOp(left=left, op=ast.Sub(), right=ast.Constant(value=int() as less)):
            least = _least(left, known)
            return None if least is None else replace(least, more=least.more - less)
        case ast.Call(func=ast.Name(id="max"), args=[_, _, *_] as values, keywords=[]):
            bounds = [least for each in values if (least := _least(each, known)) is not None]
            return max(bounds, key=lambda least: (least.ahead, least.more), default=None)
    return None


def _given(known: _Known, name: str, least: _Least | None) -> _Known:
    others = {each: bound for each, bound in known.items() if each != name}
    return others if least is None else {**others, name: least}


def _without(known: _Known, nodes: Sequence[ast.AST]) -> _Known:
    """What is left of it where nobody knows what these give to their names."""
    changed = set(stored(nodes))
    return {name: least for name, least in known.items() if name not in changed}


def _either(ways: Sequence[_Known | None]) -> _Known | None:
    """What is known where several ways come together."""
    met = [way for way in ways if way is not None]
    return _alike(met) if met else None


def _alike(ways: Sequence[_Known]) -> _Known:
    first, *others = ways
    known = {}
    for name, least in first.items():
        bounds = [least, *(way.get(name) for way in others)]
        if all(bound is not None and bound.ahead == least.ahead for bound in bounds):
            known[name] = _Least(least.ahead, min(bound.more for bound in bounds if bound is not None))
    return known


def _repeats_itself(loop: ast.While, name: str) -> bool:
    """Whether what the rounds do, and how many there are, goes by this one number alone of all that they change."""
    deciding = loaded([loop.test])
    for node in walk_scope(loop.body):
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            deciding |= loaded([node.test])
        elif isinstance(node, ast.For):
            deciding |= loaded([node.iter])
    deciding.add(name)
    statements = [
        each for each in walk_scope(loop.body) if isinstance(each, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For)
    ]
    while more := {read for each in statements if deciding & set(stored([each])) for read in loaded([each])} - deciding:
        deciding |= more
    handed_on = read_first(loop.body) & set(stored(loop.body)) & deciding
    return handed_on <= {name} and not deciding & _changed_in_place(loop)


def _changed_in_place(loop: ast.While) -> set[str]:
    """Names of what a loop sets items of, or calls a method of in a statement of its own, and of what counts by itself."""
    found = set()
    for node in walk_scope(loop.body):
        match node:
            case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
                found |= loaded([node])
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner))):
                found |= loaded([owner])
            case ast.Call(func=ast.Name(id="next"), args=[first, *_]):
                found |= loaded([first])
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="pop" | "popleft")):
                found.add(owner)
    return found
