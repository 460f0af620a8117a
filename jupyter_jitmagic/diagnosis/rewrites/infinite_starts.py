"""The best of integers, which begins with infinity or 0.0: with an integer in its place, it is one from the start, as plain
Python's result is."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.proof.differing import INFINITE
from jupyter_jitmagic.diagnosis.rewrites.elements import is_array
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.names import bound_once, walk_scope


def integer_start(spot: Spot) -> Iterator[Step]:
    """`best = -jnp.inf` before `for v in x: if v > best: best = v` → `best = jnp.iinfo(x.dtype).min`, of integers: plain
    Python gives one of them, and infinity where there are none."""
    function, code = spot.function, spot.code
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef):
        return
    starts = _starts(spot, function)
    values, returned = _kept(spot, function, set(starts))
    kinds = {fact.exactly for value in values if (fact := spot.fact(value)) is not None and fact.exactly}
    given = [each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    given += _made_before(function, [start for each in starts.values() for start in each])
    arrays = [each for each in given if is_array(spot, each) and spot.locals[each].dtype.name in kinds]
    if not returned or len(kinds) != 1 or not arrays:
        return
    asked = _asked(spot, function, set(starts))
    infinite = [start for each in starts.values() for start in each]
    ends = {each: f"{spot.jnp('iinfo')}({arrays[0]}.dtype).{_end(spot, each)}" for each in (*infinite, *asked)}
    said = sorted({f"where plain Python gives {code.src(start)} the result is {ends[start]}" for start in infinite})
    excludes = {INFINITE: "inputs on which plain Python gives infinity"}
    yield spot.step("iinfo", *ends.items(), note="" if asked else "; ".join(said), excludes=excludes)


def _made_before(function: ast.FunctionDef, starts: list[ast.expr]) -> list[str]:
    """Names that one line of the function's own binds, above the first of these."""
    first = min((each.lineno for each in starts), default=0)
    own = [each for each in function.body if isinstance(each, ast.Assign) and each.lineno < first]
    names = [target.id for each in own for target, _ in _pairs(each) if isinstance(target, ast.Name)]
    return [each for each in names if bound_once(function, each) is not None]


def _end(spot: Spot, start: ast.expr) -> str:
    return "max" if _infinity(spot, start) > 0 else "min"


def _asked(spot: Spot, function: ast.FunctionDef, names: set[str]) -> list[ast.expr]:
    """The infinite numbers that the names are compared with: `if best == jnp.inf: return -1`."""
    compared = [node for node in walk_scope(function.body) if isinstance(node, ast.Compare)]
    sides = [(node.left, *node.comparators) for node in compared]
    return [one for each in sides if any(_is_one(part, names) for part in each) for one in each if _infinity(spot, one)]


def _starts(spot: Spot, function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    """The infinite numbers that names are bound to, by name."""
    found: dict[str, list[ast.expr]] = {}
    for node in walk_scope(function.body):
        if isinstance(node, ast.Assign):
            for target, value in _pairs(node):
                if isinstance(target, ast.Name) and _infinity(spot, value):
                    found.setdefault(target.id, []).append(value)
    return found


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Each target with the value that is bound to it, where both are written."""
    for target in node.targets:
        match target, node.value:
            case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
                yield from zip(targets, values, strict=True)
            case _:
                yield target, node.value


def _kept(spot: Spot, function: ast.FunctionDef, names: set[str]) -> tuple[list[ast.expr], bool]:
    """(what the names are bound to beside, which is of integers; whether one of them is returned); nothing where a name is
    more than compared, bound to another of them, and returned."""
    code, values, returned = spot.code, list[ast.expr](), False
    bound: set[ast.AST] = set()
    for node in walk_scope(function.body):
        if isinstance(node, ast.Assign):
            for target, value in _pairs(node):
                if isinstance(target, ast.Name) and target.id in names:
                    bound.add(target)
                    values += [] if _is_one(value, names) or _infinity(spot, value) else [value]
    for node in walk_scope(function.body):
        if not isinstance(node, ast.Name) or node.id not in names or node in bound:
            continue
        at: ast.AST = node
        while isinstance(parent := code.parents[at], ast.Tuple | ast.List | ast.IfExp):
            at = parent
        match parent:
            case ast.Return():
                returned = True
            case ast.Assign() if isinstance(node.ctx, ast.Load) and at is node:
                others = {name for target, value in _pairs(parent) if value is node for name in [getattr(target, "id", "")]}
                if not others <= names:
                    return [], False
            case ast.Compare():
                pass
            case ast.Call(func=ast.Name(id="max" | "min" as which)) if spot.is_builtin(which) and at is node:
                pass
            case _ if not _is_settled(spot, node):
                return [], False
    whole, extrema = [value for value in values if not _is_extremum(value)], [each for each in values if _is_extremum(each)]
    facts = [spot.fact(value) for value in whole]
    if not all(fact is not None and fact.ndim == 0 and fact.dtype in ("i", "u") for fact in facts):
        return [], False
    return [*whole, *(given for each in extrema if isinstance(each, ast.Call) for given in each.args)], returned


def _is_settled(spot: Spot, node: ast.Name) -> bool:
    """Whether a name stands for an integer where it is read, as a line before has met one: `low = min(low, v)`."""
    code = spot.code
    at = code.statement(node)
    while isinstance(at, ast.stmt) and not isinstance(at, ast.FunctionDef):
        block = code.block(at)
        if any(_settles(each, node.id) for each in block[: block.index(at)]):
            return True
        at = code.parents[at]  # type: ignore[assignment]
    return False


def _settles(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name(id=bound)], value=ast.Call(args=[one, other]) as value) if bound == name:
            return _is_extremum(value) and any(_is_one(each, {name}) for each in (one, other))
        case ast.If(test=ast.Compare(left=one, comparators=[other]), body=[ast.Assign(targets=[ast.Name(id=bound)])]):
            return bound == name and any(_is_one(each, {name}) for each in (one, other))
    return False


def whole_start(spot: Spot) -> Iterator[Step]:
    """`now = 0.0` before `for v in x: now = max(v, now + v)` → `now = 0`, of integers: the 0.0 is never what comes out."""
    function = spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef):
        return
    given = [each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    if not any(is_array(spot, each) and spot.locals[each].dtype.name.startswith(("int", "uint")) for each in given):
        return
    loops = [node for node in walk_scope(function.body) if isinstance(node, ast.For | ast.While)]
    for node in function.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=float() as start)) if start.is_integer():
                again = [each for loop in loops for each in walk_scope(loop.body) if isinstance(each, ast.Assign)]
                if any(_is_one(target, {name}) for each in again for target, _ in _pairs(each)):
                    yield spot.step("int", (node.value, str(int(start))))


def _is_one(value: ast.expr, names: set[str]) -> bool:
    return isinstance(value, ast.Name) and value.id in names


def _is_extremum(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("max", "min")


def _infinity(spot: Spot, node: ast.expr) -> float:
    """The infinite number that is written; 0 for others."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_infinity(spot, operand)
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str() as text)]) if spot.is_builtin("float"):
            return {"inf": math.inf, "-inf": -math.inf}.get(text.lower().replace("infinity", "inf").strip(" +"), 0.0)
        case ast.Attribute() | ast.Name() if getattr(node, "id", "") not in spot.locals:  # a variable may be infinite by now
            value = spot.value(node)
            return value if isinstance(value, float) and math.isinf(value) else 0.0
    return 0.0


RULES: list[Rule] = [integer_start, whole_start]
