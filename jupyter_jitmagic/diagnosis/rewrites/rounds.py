"""How many rounds a loop has at most, as far as its text says: a bound that is known while tracing."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites.moving_on import moves_on
from jupyter_jitmagic.diagnosis.rewrites.own_conditions import is_fact
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import loaded, stored, walk, walk_scope


@dataclass(frozen=True)
class Counter:
    """A variable that a test keeps below a limit and that never gets smaller.

    Attributes:
        limit: the limit's text.
        start: the number at which it begins, at least.
        rise: the largest number that is added to it at once.
    """

    name: str
    limit: ast.expr
    start: int
    rise: int


def most_rounds(spot: Spot, loop: ast.While) -> str | None:
    """How many rounds a loop `while k < n and …` has at most, where k counts them and n is known while tracing; where every
    round moves one of several counters, as in a merge, what they have left together."""
    if array := what_remains(spot, loop):
        return f"{array}.size"
    for each in counters_of(spot, loop.test):
        if each.start >= 0 and _surely_moves(loop.body, {each.name}) and (room := _room_of(spot, loop, each.limit)):
            return room
    counters = [each for each in counters_of(spot, loop.test, _UP_TO) if is_fact(spot, each.limit)]
    alone = [each for each in counters if _surely_moves(loop.body, {each.name})]
    if alone:
        return left_of(spot, alone[:1])
    for each in _ending(spot, loop):  # the first round is always begun
        if is_fact(spot, each.limit) and _surely_moves(loop.body, {each.name}):
            number = each.limit.value if isinstance(each.limit, ast.Constant) else None
            most = number - each.start if isinstance(number, int) else 0
            return str(most) if most > 0 else f"max({left_of(spot, [each])}, 1)"
    if counters and _surely_moves(loop.body, {each.name for each in counters}):
        return left_of(spot, counters)
    ahead = [each for each in _moved_on(spot, loop) if is_fact(spot, each.limit)]
    return left_of(spot, ahead[:1]) if ahead else None


def _moved_on(spot: Spot, loop: ast.While) -> Iterator[Counter]:
    """The numbers that a loop keeps below limits and moves on, by however much: `i = j`, where j was counted up from i."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    for part in conjuncts(loop.test):
        match part:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.Lt() | ast.LtE() as op], comparators=[limit]):
                start = _begun_at(spot, function, loop, name)
                if start is not None and name not in loaded([limit]) and moves_on(loop, name):
                    yield Counter(name, limit, start - isinstance(op, ast.LtE), 1)


def _begun_at(spot: Spot, function: ast.FunctionDef, loop: ast.While, name: str) -> int | None:
    """The least whole number that a name is given outside a loop; None where it is given something else."""
    inside, starts = {*walk(loop)}, []
    for node in walk(function):
        if isinstance(node, ast.arg) and node.arg == name:
            return None
        if not (isinstance(node, ast.Name) and node.id == name) or isinstance(node.ctx, ast.Load) or node in inside:
            continue
        statement = spot.code.statement(node)
        starts.append(_given(statement.targets, statement.value, name) if isinstance(statement, ast.Assign) else None)
    known = [start for start in starts if start is not None]
    return min(known, default=None) if len(known) == len(starts) else None


def _room_of(spot: Spot, loop: ast.While, limit: ast.expr) -> str:
    """As many elements as an array has room for of which a limit is the count: that of a list which became an array before
    (`growing`), and which the loop leaves as it is; "" for other limits."""
    if not isinstance(limit, ast.Name) or limit.id in spot.unit.text or limit.id in stored(loop.body):
        return ""
    array = limit.id.removesuffix("_length")
    is_made = array != limit.id and isinstance(spot.locals.get(array), jax.Array) and array not in stored(loop.body)
    return f"len({array})" if is_made else ""


def what_remains(spot: Spot, loop: ast.For | ast.While) -> str:
    """The array of `while order.size > 0:` from which every round takes at least one element; "" for other loops."""
    match loop:
        case ast.While(test=ast.Compare(left=left, ops=[ast.Gt() | ast.NotEq()], comparators=[ast.Constant(value=0)])):
            pass
        case ast.While(test=left):
            pass
        case _:
            return ""
    match left:
        case ast.Attribute(value=ast.Name(id=name), attr="size"):
            pass
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="shape"), slice=ast.Constant(value=0)):
            pass
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
            pass
        case _:
            return ""
    given = [each for each in loop.body if name in stored([each])]
    if len(given) != 1 or leaves(loop.body[: loop.body.index(given[0])], ast.Continue):
        return ""
    match given[0]:
        case ast.Assign(targets=[ast.Name()], value=taken) if _loses_one(spot, loop, name, taken):
            return name
    return ""


def _loses_one(spot: Spot, loop: ast.While, name: str, taken: ast.expr) -> bool:
    """Whether an expression is what follows the first element of an array, or some of that."""
    match taken:
        case ast.Subscript(value=ast.Name(id=each), slice=ast.Slice(lower=ast.Constant(value=int() as low), upper=None)):
            return each == name and low > 0
        case ast.Subscript(value=ast.Name(id=each), slice=ast.BinOp(left=at, op=ast.Add(), right=ast.Constant(value=low))) if (
            each == name
        ):
            made = _made_in(loop, at.id) if isinstance(at, ast.Name) else at
            return type(low) is int and low > 0 and made is not None and mask_of_places(spot, made) is not None
        case ast.Subscript(value=ast.Subscript() as inner, slice=mask) if _is_mask(spot, mask):
            return _loses_one(spot, loop, name, inner)
        case ast.Subscript(value=ast.Name(id=rest), slice=mask) if rest != name and _is_mask(spot, mask):
            held = _made_in(loop, rest)
            return held is not None and _loses_one(spot, loop, name, held)
    return False


def _is_mask(spot: Spot, node: ast.expr) -> bool:
    fact = spot.fact(node)
    return isinstance(node, ast.Compare) if fact is None else fact.dtype == "b" and fact.ndim == 1


def _made_in(loop: ast.While, name: str) -> ast.expr | None:
    """What a loop gives a name, in one of its own lines."""
    made = [each for each in walk_scope(loop.body) if isinstance(each, ast.stmt) and name in stored([each])]
    match made:
        case [ast.Assign(targets=[ast.Name()], value=value) as alone] if alone in loop.body:
            return value
    return None


def mask_of_places(spot: Spot, node: ast.expr) -> ast.expr | None:
    """c of `jnp.where(c)[0]`, `jnp.nonzero(c)[0]`, `jnp.flatnonzero(c)`: places in their order, each once."""
    match node:
        case ast.Subscript(value=ast.Call(func=func, args=[mask], keywords=[]), slice=ast.Constant(value=0)):
            names = ("where", "nonzero")
        case ast.Call(func=func, args=[mask], keywords=[]):
            names = ("flatnonzero", "")
        case _:
            return None
    return mask if attribute(spot.value(func), "__name__", "-") in names else None


def length_limit(spot: Spot, loop: ast.For | ast.While, name: str) -> str:
    """The length at which a list ends a loop `while len(path) < n and …`, as text; "" for other loops."""
    for part in conjuncts(loop.test) if isinstance(loop, ast.While) else ():
        match part:
            case ast.Compare(
                left=ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=held)]), ops=[ast.Lt()], comparators=[limit]
            ) if held == name and spot.is_builtin("len") and is_fact(spot, limit):
                return spot.code.expr(limit)
    return ""


def fills_up(spot: Spot, loop: ast.For | ast.While, name: str) -> bool:
    """Whether a loop that such a length ends goes on until then, and for nothing else."""
    if not ends_at_its_limit(loop):
        return False
    return bool(length_limit(spot, loop, name)) and not (loaded([loop.test]) - {name}) & set(stored(loop.body))


def ends_at_its_limit(loop: ast.For | ast.While) -> TypeGuard[ast.While]:
    """Whether nothing but its one test ends a loop."""
    alone = isinstance(loop, ast.While) and len(list(conjuncts(loop.test))) == 1
    return alone and not leaves(loop.body, (ast.Break, ast.Return))


def and_more(rounds: str | None, more: int) -> str | None:
    """So many rounds and a few more, as a person would write it."""
    if rounds is None or not more:
        return rounds
    return str(int(rounds) + more) if rounds.isdigit() else f"{rounds} + {more}"


def left_of(spot: Spot, counters: Sequence[Counter]) -> str:
    """How often the counters can move by one before they come to their limits."""
    code, alone = spot.code, len(counters) == 1
    start = sum(counter.start for counter in counters)
    match counters:
        case [Counter(limit=ast.BinOp(left=most, op=ast.Sub(), right=ast.Constant(value=int() as less)), start=-1)]:
            return f"{code.operand(most)} - {less - 1}" if less != 1 else code.expr(most)
    parts = [code.expr(c.limit) if alone and not c.start else code.operand(c.limit) for c in counters]
    return " + ".join(parts) + (f" - {start}" if start > 0 else f" + {-start}" if start < 0 else "")


_BELOW: tuple[type[ast.cmpop], ...] = (ast.Lt,)
_UP_TO = (ast.Lt, ast.LtE)


def counters_of(spot: Spot, test: ast.expr, how: tuple[type[ast.cmpop], ...] = _BELOW) -> Iterator[Counter]:
    """The counters that must be below their limits for a test to hold, or may be at it as well: those begin one lower."""
    for part in conjuncts(test):
        match part:
            case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[limit]) if isinstance(op, how):
                counted = _counted(spot, name)
                if counted is not None and name not in {n.id for n in walk(limit) if isinstance(n, ast.Name)}:
                    start, rise = counted
                    yield Counter(name, limit, start - isinstance(op, ast.LtE), rise)


def _ending(spot: Spot, loop: ast.While) -> Iterator[Counter]:
    """The counters that end a loop where they come to their limits: `if v > 1 or k >= n: break`."""
    for place, statement in enumerate(loop.body):
        match statement:
            case ast.If(test=test, body=[*_, ast.Break()], orelse=[]):
                pass
            case _:
                continue
        for part in test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]:
            match part:
                case ast.Compare(left=ast.Name(id=name), ops=[ast.GtE() | ast.Gt() as op], comparators=[limit]):
                    counted = _counted(spot, name)
                    if counted is None or name in {n.id for n in walk(limit) if isinstance(n, ast.Name)}:
                        continue
                    late = isinstance(op, ast.Gt) + (not _surely_moves(loop.body[:place], {name}))
                    yield Counter(name, limit, counted[0] - late, counted[1])


def conjuncts(test: ast.expr) -> Iterator[ast.expr]:
    """What must all hold for a test to hold."""
    match test:
        case ast.BoolOp(op=ast.And(), values=values):
            for value in values:
                yield from conjuncts(value)
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            yield from conjuncts(left)
            yield from conjuncts(right)
        case _:
            yield test


def _counted(spot: Spot, name: str) -> tuple[int, int] | None:
    """(where it begins, what is added to it at once at most) of a variable to which nothing is done but adding."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef) or name in {
        each.arg for each in walk(function.args) if isinstance(each, ast.arg)
    }:
        return None
    starts: list[int] = []
    rises: list[int] = []
    for node in walk(function):
        if not (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)):
            continue
        match spot.code.statement(node):
            case ast.AugAssign(op=ast.Add(), value=ast.Constant(value=int() as number)) if number > 0:
                rises.append(number)
            case ast.Assign(targets=targets, value=value):
                start = _given(targets, value, name)
                if start is None:
                    return None
                starts.append(start)
            case _:
                return None
    return (starts[0], max(rises)) if len(starts) == 1 and rises else None


def _given(targets: list[ast.expr], value: ast.expr, name: str) -> int | None:
    """The whole number that an assignment gives to a name."""
    for target in targets:
        match target, value:
            case ast.Name(id=one), ast.Constant(value=int() as number) if one == name and not isinstance(number, bool):
                return number
            case ast.Tuple(elts=names), ast.Tuple(elts=values) if len(names) == len(values):
                for each, given in zip(names, values, strict=True):
                    if isinstance(each, ast.Name) and each.id == name:
                        return _given([each], given, name)
    return None


def _surely_moves(statements: Sequence[ast.stmt], names: set[str]) -> bool:
    """Whether every way through the statements to their end adds to one of the counters."""
    if leaves(statements, ast.Continue):
        return False
    for statement in statements:
        match statement:
            case ast.AugAssign(target=ast.Name(id=name)) if name in names:
                return True
            case ast.If() if _ends(statement.body, names) and _ends(statement.orelse, names):
                return True
            case ast.Break() | ast.Return() | ast.Raise():
                return True
    return False


def _ends(side: Sequence[ast.stmt], names: set[str]) -> bool:
    return bool(side) and _surely_moves(side, names)


def rounds_of(spot: Spot, loop: ast.For | ast.While) -> str | None:
    """How many rounds a loop has at most, as text that is known while tracing."""
    if isinstance(loop, ast.While):
        return most_rounds(spot, loop)
    return known_length(spot, loop.iter)


def known_length(spot: Spot, iterable: ast.expr) -> str | None:
    """How many items a loop over it goes through, as text that is known while tracing; None where data says how many."""
    code = spot.code
    match iterable:
        case ast.Call(func=ast.Name(id="range"), args=args) if spot.is_builtin("range"):
            return _range_length(spot, args)
        case ast.Call(func=ast.Name(id="enumerate" | "reversed" | "list" as name), args=[inner, *_]) if spot.is_builtin(name):
            return known_length(spot, inner)
        case ast.Call(func=ast.Name(id="zip"), args=args) if spot.is_builtin("zip") and args:
            lengths = [length for each in args if (length := known_length(spot, each)) is not None]
            apart = list(dict.fromkeys(lengths))
            return f"min({', '.join(apart)})" if len(apart) > 1 else apart[0] if apart else None
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return None if any(isinstance(each, ast.Starred) for each in items) else str(len(items))
        case ast.Name() | ast.Subscript(value=ast.Name(), slice=ast.Slice()):
            array = iterable if isinstance(iterable, ast.Name) else iterable.value
            assert isinstance(array, ast.Name)
            steady = array.id not in stored(_loops_around(spot, iterable))
            if steady and isinstance(spot.value(array), jax.Array | np.ndarray | list | tuple):
                return f"len({code.src(iterable)})" if array is iterable or _is_known_slice(spot, iterable) else None
        case ast.Subscript(value=ast.Name(), slice=ast.Name() as places):  # `x[order]` is as long as its places
            fact = spot.fact(places)
            return (
                known_length(spot, places)
                if fact is not None and (fact.sort, fact.ndim, fact.dtype) == ("array", 1, "i")
                else None
            )
    return None


def run_over_by_name(spot: Spot, function: ast.FunctionDef, name: str) -> Step | None:
    """`for v in jnp.sort(x):` around what fills the list → `values = jnp.sort(x)`, `for v in values:`: its length is asked for
    before the loop."""
    code = spot.code
    for node in walk_scope(function.body):
        match node:
            case ast.For(iter=ast.Call(func=ast.Name(id="enumerate"), args=[ast.Call() as array], keywords=[])):
                pass
            case ast.For(iter=ast.Call() as array):
                pass
            case _:
                continue
        fact = spot.fact(array)
        fills = any(isinstance(each, ast.Name) and each.id == name for each in walk_scope(node.body))
        if fills and fact is not None and fact.sort == "array" and fact.ndim > 0 and code.on_own_lines([node]):
            values, start = code.fresh("values", "items"), code.region([_before_what_is_made_empty(spot, node, array)])[0]
            return spot.step("list", ((start, start), f"{code.indent(node)}{values} = {code.expr(array)}\n"), (array, values))
    return None


def _before_what_is_made_empty(spot: Spot, loop: ast.For, array: ast.expr) -> ast.stmt:
    """The first of the statements before the loop that do nothing but begin a list or a count: what the array tells (its
    length, its dtype) is known there, too."""
    block = spot.code.block(loop)
    first: ast.stmt = loop
    for statement in reversed(block[: block.index(loop)]):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.List(elts=[]) | ast.Constant()) if name not in loaded(
                [array]
            ):
                first = statement if spot.code.on_own_lines([statement]) else first
            case _:
                break
    return first


def rounds_coming_to(spot: Spot, loop: ast.For | ast.While, statement: ast.stmt) -> str | None:
    """How many rounds of `for i in range(…)` come to a statement under tests of i alone (`if i >= burn_in and i % thin == 0`),
    as text that is known while tracing; None for others."""
    code = spot.code
    if not isinstance(loop, ast.For) or not isinstance(loop.target, ast.Name) or not isinstance(loop.iter, ast.Call):
        return None
    index, numbers = loop.target.id, loop.iter
    if known_length(spot, numbers) is None or not isinstance(numbers.func, ast.Name) or numbers.func.id != "range":
        return None
    if index in stored(loop.body) or leaves(loop.body, _LEAVING) or not spot.is_builtin("sum"):
        return None
    tests: list[str] = []
    below: ast.AST = statement
    for at in itertools.takewhile(lambda each: each is not loop, code.ancestors(code.parents[statement])):
        if not isinstance(at, ast.If) or not _is_of(spot, at.test, index):
            return None
        tests.append(f" if {code.expr(at.test)}" if below in at.body else f" if not {code.operand(at.test)}")
        below = at
    return f"sum(1 for {index} in {code.expr(numbers)}{''.join(tests[::-1])})" if tests else None


def _is_of(spot: Spot, test: ast.expr, index: str) -> bool:
    """Whether Python knows a test as soon as it knows the loop's number."""
    names = [node for node in walk(test) if isinstance(node, ast.Name)]
    return all(isinstance(node, _SIMPLE) for node in walk(test)) and all(
        name.id == index or is_fact(spot, name) for name in names
    )


_LEAVING = (ast.Break, ast.Continue, ast.Return, ast.Raise)
_SIMPLE = (
    *(ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Constant, ast.Name),
    *(ast.cmpop, ast.boolop, ast.unaryop, ast.operator, ast.expr_context),
)


def _loops_around(spot: Spot, node: ast.AST) -> list[ast.stmt]:
    return [s for at in spot.code.ancestors(node) if isinstance(at, ast.For | ast.While) for s in at.body]


def _is_known_slice(spot: Spot, node: ast.expr) -> bool:
    assert isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)
    bounds = [each for each in (node.slice.lower, node.slice.upper, node.slice.step) if each is not None]
    return all(is_fact(spot, each) for each in bounds)


def _range_length(spot: Spot, args: list[ast.expr]) -> str | None:
    """The length of a range of known bounds; that of the range itself where a difference might be negative."""
    code = spot.code
    if not args or not all(is_fact(spot, each) for each in args):
        return None
    from_zero = len(args) == 1 or (len(args) == 2 and isinstance(args[0], ast.Constant) and args[0].value == 0)
    if from_zero and not any(isinstance(part, ast.Sub | ast.USub) for part in walk(args[-1])):
        return code.expr(args[-1])
    return f"len(range({', '.join(map(code.src, args))}))"


def is_exhausted(counter: Counter, function: ast.FunctionDef) -> bool:
    """Whether the counter is at its limit in the end: a loop of its own, which nothing else ends, moves it there one by one."""
    for statement in function.body[::-1]:
        match statement:
            case ast.While(test=ast.Compare(left=ast.Name(id=name), ops=[ast.Lt()], comparators=[limit]), orelse=[]) if (
                name == counter.name
            ):
                same = ast.dump(limit) == ast.dump(counter.limit) and counter.rise == 1 and counter.start >= 0
                return (
                    same
                    and not leaves(statement.body, (ast.Break, ast.Return, ast.Raise))
                    and _surely_moves(statement.body, {name})
                )
    return False
