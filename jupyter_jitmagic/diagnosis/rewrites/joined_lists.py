"""Lists that are put together by `+`: once they are arrays, `+` adds, and `concatenate` puts them together."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.inlining import all_inlined
from jupyter_jitmagic.diagnosis.rewrites.operations import MAKES_ARRAYS, is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import NoWay, Rule, Spot, Step
from jupyter_jitmagic.source.code import is_returned
from jupyter_jitmagic.source.names import loaded, stored, walk

_READ_WHOLE = ("len", "sum", "max", "min", "sorted", "enumerate", "zip", "reversed")


def joined_by_name(spot: Spot, function: ast.FunctionDef, name: str) -> Step | None:
    """`jnp.array(low[:-1] + high)` → `jnp.concatenate([jnp.array(low[:-1]), jnp.array(high)])`, of a list that is to become an
    array."""
    for node in walk(function):
        if isinstance(node, ast.BinOp) and name in loaded([node]) and (step := _joined(spot, function, node)) is not None:
            return step
    return None


def joined_by_its_caller(spot: Spot) -> Iterator[Step]:
    """The same of `jnp.array(half(pts) + half(pts[::-1]))`, where a helper gives each of the lists; then its lines in the place
    of its calls, before one of the lists is followed without the other."""
    node, function, parents = spot.node, spot.function, spot.code.parents
    if not isinstance(node, ast.Call) or not isinstance(function, ast.FunctionDef):
        return
    match around := parents.get(node):
        case ast.BinOp():
            if (step := _joined(spot, function, around)) is not None:
                yield step
        case ast.Call(func=ast.Attribute(attr="array"), args=[_]):
            match parents[around], parents[parents[around]]:
                case ast.List(elts=[_, _, *_]), ast.Call(func=ast.Attribute(attr="concatenate")):
                    yield from all_inlined(spot, node)


def refuse_where_a_caller_joins_it(spot: Spot, function: ast.FunctionDef, name: str) -> None:
    """Stop where a helper gives a list, or a part of it, and its caller puts it together with another one.

    Raises:
        NoWay: that is so; then the rules that look at calls are asked.
    """
    code = spot.code
    named = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name]
    parts = [at if isinstance(at := code.parents[n], ast.Subscript) and at.value is n else n for n in named]
    if spot.entry or not any(isinstance(each, ast.expr) and is_returned(code, each) for each in parts):
        return
    caller = next(iter(spot.callers()), None)
    if caller is not None and next(joined_by_its_caller(caller), None) is not None:
        raise NoWay(f"the length of {name} would depend on the number of rounds; its caller puts it together with another one")


def _joined(spot: Spot, function: ast.FunctionDef, node: ast.BinOp) -> Step | None:
    """The step for lists that stand in an array's constructor, or get a name of their own."""
    code = spot.code
    whole: ast.AST = node
    while isinstance(code.parents.get(whole), ast.BinOp):
        whole = code.parents[whole]
    parts = [*_parts(whole)]
    if len(parts) < 2 or not all(_is_list(spot, part) for part in parts):
        return None
    array = spot.jnp("array")
    text = f"{spot.jnp('concatenate')}([{', '.join(f'{array}({code.expr(part)})' for part in parts)}])"
    match parent := code.parents[whole]:
        case ast.Call(func=ast.Attribute(value=owner, attr=attr), args=[_], keywords=[]) if attr in MAKES_ARRAYS and is_module(
            spot, owner
        ):
            return spot.step("concatenate", (parent, text))
        case ast.Call(func=ast.Name(id="len"), args=[_], keywords=[]) if spot.is_builtin("len"):
            lengths = " + ".join(f"len({code.expr(part)})" for part in parts)
            return spot.step("concatenate", (parent, lengths if isinstance(code.parents[parent], ast.stmt) else f"({lengths})"))
        case ast.Assign(targets=[ast.Name(id=held)]) if _is_read_as_an_array(spot, function, held):
            stacked = (each for each in walk(function) if _stacks(spot, each, held))
            return spot.step("concatenate", (whole, text), *((each, held) for each in stacked))
    return None


def _stacks(spot: Spot, node: ast.AST, name: str) -> bool:
    """`jnp.stack(both)`, which is what an array of the rows is already."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="stack" | "vstack"), args=[ast.Name(id=given)], keywords=[]):
            return given == name and is_module(spot, owner)
    return False


def _parts(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _parts(left)
            yield from _parts(right)
        case ast.expr():
            yield node


def _is_list(spot: Spot, node: ast.expr) -> bool:
    """Whether it is a list that a loop fills, a part of one, or what a helper of the user's gives as one."""
    match node:
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name), slice=ast.Slice()) if name in spot.locals:
            return type(spot.locals[name]) is list
        case ast.Name() | ast.Call() | ast.Subscript(slice=ast.Slice()):
            fact = spot.fact(node)
            return fact is not None and fact.sort == "list"
    return False


def _is_read_as_an_array(spot: Spot, function: ast.FunctionDef, name: str) -> bool:
    """Whether all that is done with a list, which is bound once, can be done with an array as well."""
    code = spot.code
    named = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name]
    arguments = {each.arg for each in walk(function.args) if isinstance(each, ast.arg)}
    if sum(not isinstance(n.ctx, ast.Load) for n in named) != 1 or name in arguments or name not in stored(function.body):
        return False
    for node in named:
        match code.parents[node]:
            case ast.Assign(targets=[target]) if target is node:
                pass
            case ast.Subscript(value=value, ctx=ast.Load()) if value is node:
                pass
            case ast.For(iter=over) | ast.comprehension(iter=over) if over is node:
                pass
            case ast.Call(func=ast.Name(id=called)) if called in _READ_WHOLE and spot.is_builtin(called):
                pass
            case ast.Call(func=ast.Attribute(value=owner), args=[only, *_]) if only is node and is_module(spot, owner):
                pass
            case _:
                return False
    return True


OUTWARD: list[Rule] = [joined_by_its_caller]
