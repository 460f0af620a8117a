"""Dicts of lists, or of sums, that a loop fills by keys that are data: each is read as a comprehension over that loop's items.

`groups.setdefault(int(p), []).append(a)` for `p, a in zip(policy, amount)`, then `groups.get(k, [])` →
`[a for p, a in zip(policy, amount) if p == k]`; `totals[int(p)] += a`, then `totals[k]` → the sum of these. What has a length
that depends on data is for other rules to follow.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import jax

from jupyter_jitmagic.diagnosis.rewrites.lookups import NO_KEY
from jupyter_jitmagic.diagnosis.rewrites.met_once import without_int
from jupyter_jitmagic.diagnosis.rewrites.naming import renamed
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import COMPREHENSIONS, loaded, stored, target_names, walk, walk_scope

_Edit = tuple[ast.AST | tuple[int, int], str]


@dataclass
class _Filled:
    """A loop that does nothing but to add to the lists.

    Attributes:
        made: the statement that makes the dict.
        always: a list that is not there is empty, when it is read by `groups[k]`.
        start: of sums, what they begin with, as text; "" of lists.
    """

    name: str
    loop: ast.For
    key: ast.expr
    value: ast.expr
    made: ast.Assign
    always: bool = False
    start: str = ""


def lists(spot: Spot) -> Iterator[Step]:
    yield from _read_as_comprehensions(spot, _filled)


def sums(spot: Spot) -> Iterator[Step]:
    yield from _read_as_comprehensions(spot, _added_up)


def _read_as_comprehensions(spot: Spot, fills: Callable[[Spot, ast.FunctionDef, ast.For], _Filled | None]) -> Iterator[Step]:
    function, code = spot.function, spot.code
    loop = next((at for at in code.ancestors(spot.node) if isinstance(at, ast.For)), None)
    if not isinstance(function, ast.FunctionDef) or loop is None:
        return
    filled = fills(spot, function, loop)
    if filled is None or not _stay(code, function, filled):
        return
    own = {id(each) for part in (filled.made, filled.loop) for each in walk(part)}
    uses = [each for each in walk(function) if isinstance(each, ast.Name) and each.id == filled.name and id(each) not in own]
    edits: list[_Edit] = []
    excludes: dict[str, str] = {}
    for use in uses:
        read = _read(code, use, filled)
        if read is None or use.lineno < loop.lineno:
            return
        node, key = read
        edits.append(_comprehension(spot, filled, node, key))
        if isinstance(node, ast.Subscript) and not filled.always:
            excludes = NO_KEY
    gone = [(code.region([each]), "") for each in (filled.made, filled.loop)]
    if edits and code.on_own_lines([filled.made, filled.loop]):
        yield spot.step("comprehension", *gone, *edits, excludes=excludes)


def _filled(spot: Spot, function: ast.FunctionDef, loop: ast.For) -> _Filled | None:
    code = spot.code
    match loop.body:
        case [
            ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(
                        value=ast.Call(
                            func=ast.Attribute(value=ast.Name(id=name), attr="setdefault"), args=[key, ast.List(elts=[])]
                        ),
                        attr="append",
                    ),
                    args=[value],
                )
            )
        ]:
            pass
        case [ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Subscript() as place, attr="append"), args=[value]))]:
            name, key = getattr(place.value, "id", ""), place.slice
        case [
            ast.If(
                test=ast.Compare(left=asked, ops=[ast.NotIn()], comparators=[ast.Name(id=name)]),
                body=[ast.Assign(targets=[ast.Subscript(slice=first) as begun], value=ast.List(elts=[]))],
                orelse=[],
            ),
            ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Subscript(slice=key) as place, attr="append"), args=[value])),
        ] if ast.dump(asked) == ast.dump(first) == ast.dump(key) and name == getattr(begun.value, "id", "") == getattr(
            place.value, "id", ""
        ):
            pass
        case _:
            return None
    if loop.orelse or isinstance(loop.iter, ast.Starred):
        return None
    for made in walk_scope(function.body):
        match made:
            case ast.Assign(targets=[ast.Name(id=same)], value=ast.Dict(keys=[])) if same == name:
                return _Filled(name, loop, key, value, made)
            case ast.Assign(targets=[ast.Name(id=same)], value=ast.Call(func=func, args=args, keywords=[])) if same == name:
                kind = code.src(func).rpartition(".")[2]
                if kind == "defaultdict" and [code.src(each) for each in args] == ["list"]:
                    return _Filled(name, loop, key, value, made, always=True)
                if kind == "dict" and not args:
                    return _Filled(name, loop, key, value, made)
    return None


def _added_up(spot: Spot, function: ast.FunctionDef, loop: ast.For) -> _Filled | None:
    """`totals[key] += value` of a `defaultdict`, `totals[key] = totals.get(key, 0) + value`."""
    nothing: float | None = None
    match loop.body:
        case [ast.AugAssign(target=ast.Subscript(value=ast.Name(id=name), slice=key), op=ast.Add(), value=value)]:
            pass
        case [
            ast.Assign(
                targets=[ast.Subscript(value=ast.Name(id=name), slice=key)],
                value=ast.BinOp(
                    left=ast.Call(
                        func=ast.Attribute(value=ast.Name(id=same), attr="get"),
                        args=[asked, ast.Constant(value=int() | float() as nothing)],
                    ),
                    op=ast.Add(),
                    right=value,
                ),
            )
        ] if name == same and ast.dump(asked) == ast.dump(key) and nothing == 0:
            pass
        case _:
            return None
    if loop.orelse or not spot.is_builtin("sum"):
        return None
    for made in walk_scope(function.body):
        match made:
            case ast.Assign(targets=[ast.Name(id=same)], value=ast.Dict(keys=[])) if same == name and nothing is not None:
                return _Filled(name, loop, key, value, made, start=repr(nothing))
            case ast.Assign(targets=[ast.Name(id=same)], value=ast.Call(func=func, args=[ast.Name(id=kind)], keywords=[])) if (
                same == name and spot.code.src(func).rpartition(".")[2] == "defaultdict" and kind in ("int", "float")
            ):
                return _Filled(name, loop, key, value, made, always=True, start="0" if kind == "int" else "0.0")
    return None


def _stay(code: Code, function: ast.FunctionDef, filled: _Filled) -> bool:
    """Whether what the loop ran over is the same where the lists are read, and the loop's own names are not read behind it."""
    own = {*target_names(filled.loop.target)}
    read = loaded([filled.loop.iter, filled.key, filled.value]) - own
    after = [each for each in function.body if (each.end_lineno or 0) > (filled.loop.end_lineno or 0)]
    bound = [name for each in after for name in stored([each])]
    alone = filled.loop in function.body and filled.made in function.body and not own & code.live_after(filled.loop)
    return alone and not read & {*bound} and filled.name not in bound


def _read(code: Code, use: ast.Name, filled: _Filled) -> tuple[ast.expr, ast.expr] | None:
    """(the expression that reads one list, its key)."""
    parent = code.parents[use]
    call = code.parents.get(parent)
    match parent:
        case ast.Subscript(value=value, slice=key, ctx=ast.Load()) if value is use and not isinstance(key, ast.Slice):
            return None if isinstance(call, ast.Attribute) else (parent, key)  # `groups[k].sort()` changes it
        case ast.Attribute(attr="get") if isinstance(call, ast.Call) and call.func is parent and len(call.args) == 2:
            match call.args[1]:
                case ast.List(elts=[]) | ast.Tuple(elts=[]) if not filled.start:
                    return call, call.args[0]
                case ast.Constant(value=int() | float() as nothing) if filled.start and nothing == 0:
                    return call, call.args[0]
    return None


def _comprehension(spot: Spot, filled: _Filled, node: ast.expr, key: ast.expr) -> _Edit:
    """The list as a comprehension; where one runs over it, that one runs over the loop's own instead."""
    code, parent = spot.code, spot.code.parents[node]
    around = code.parents.get(parent)
    new = {name: code.fresh(f"each_{name}", f"own_{name}") for name in target_names(filled.loop.target)}
    value = filled.value
    merged = (
        not filled.start
        and isinstance(around, COMPREHENSIONS)
        and isinstance(parent, ast.comprehension)
        and len(around.generators) == 1
        and parent.iter is node
        and isinstance(parent.target, ast.Name)
        and isinstance(value, ast.Name)
        and value.id in new
        and parent.target.id not in loaded([key])
    )
    if merged:
        new[value.id] = parent.target.id  # type: ignore[attr-defined]
    target, over = renamed(spot, filled.loop.target, new), code.src(filled.loop.iter)
    test = f"{_key(spot, filled, new)} == {code.operand(key)}"
    if merged:
        assert isinstance(parent, ast.comprehension)
        loose = ast.BoolOp | ast.IfExp | ast.Lambda | ast.NamedExpr
        tests = " and ".join(
            [test, *(code.operand(each) if isinstance(each, loose) else code.src(each) for each in parent.ifs)]
        )
        start, end = code.span(parent.target)[0], max(code.span(each)[1] for each in (parent.iter, *parent.ifs))
        return (start, end), f"{target} in {over} if {tests}"
    listed = f"[{renamed(spot, value, new)} for {target} in {over} if {test}]"
    if not filled.start:
        return node, listed
    return node, f"sum({listed})" if filled.start == "0" else f"({filled.start} + sum({listed}))"


def _key(spot: Spot, filled: _Filled, new: dict[str, str]) -> str:
    """`int(p)` of an array is `jnp.asarray(p, int)`, whatever its numbers are on another call."""
    own = without_int(filled.key)
    if own is filled.key or not isinstance(spot.value(own), jax.core.Tracer):
        return renamed(spot, filled.key, new)
    return f"{spot.jnp('asarray')}({renamed(spot, own, new)}, int)"


RULES: list[Rule] = [lists]
SUMS: list[Rule] = [sums]
