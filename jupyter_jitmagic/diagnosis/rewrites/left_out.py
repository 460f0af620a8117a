"""A selection that is made only where it leaves something out: it can be made in any case."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.narrowing import asks_for_none
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step


def in_any_case(spot: Spot) -> Iterator[Step]:
    """`if not m.all(): x = x[m]` → `x = x[m]`: where all are kept it is the same. `if skip is not None and skip in x:` asks for
    `skip is not None` alone then."""
    if spot.kind != BOOL:
        return
    code = spot.code
    node = next((at for at in code.ancestors(spot.node) if isinstance(at, ast.stmt)), None)
    if not isinstance(node, ast.If) or node.orelse or code.is_elif(node) or not code.on_own_lines([node]):
        return
    selects = [each for each in node.body if not _asks_for_none_left(each)]
    masks = {mask for statement in selects if (mask := _kept(spot, statement)) is not None}
    if len(masks) != 1 or not all(_kept(spot, each) for each in selects):
        return
    own, asked = ([], node.test)
    if isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.And):
        *own, asked = node.test.values
    if _left_out(spot, asked) not in masks or not all(asks_for_none(each) for each in own):
        return
    if own:
        yield spot.step("where", (node.test, " and ".join(code.expr(each) for each in own)))
    else:
        yield spot.step("where", (code.region([node]), code.block_text(node.body, code.indent(node))))


def _asks_for_none_left(statement: ast.stmt) -> bool:
    """`if len(x) == 0: raise …`, which has nothing to do with what was left out."""
    match statement:
        case ast.If(
            test=ast.Compare(left=ast.Call(func=ast.Name(id="len")) | ast.Attribute(attr="size"), ops=[ast.Eq()]),
            body=[ast.Raise()],
            orelse=[],
        ):
            return True
    return False


def _kept(spot: Spot, statement: ast.stmt) -> str | None:
    """The mask of what is kept, of `x = x[m]`, `x = x.compress(m)`, `x = jnp.compress(m, x)`; None for other statements."""
    match statement:
        case ast.Assign(targets=[ast.Name(name)], value=ast.Subscript(value=ast.Name(array), slice=mask)) if name == array:
            if isinstance(mask, ast.Tuple):
                return None
        case ast.Assign(
            targets=[ast.Name(name)],
            value=ast.Call(func=ast.Attribute(value=ast.Name(array), attr="compress"), args=[mask, *_]),
        ) if name == array:
            pass
        case _:
            return None
    return _text(spot, mask)


def _left_out(spot: Spot, test: ast.expr) -> str | None:
    """The mask of what is kept, where a test asks whether it leaves something out; None for other tests."""
    match test:
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=asked):
            return _all_of(spot, asked, "all")
        case ast.Compare(left=value, ops=[ast.In()], comparators=[ast.Name() as array]):
            fact = spot.fact(array)
            equal = ast.Compare(array, [ast.Eq()], [value])
            return _opposite(ast.unparse(equal)) if fact is not None and fact.sort == "array" else None
    mask = _all_of(spot, test, "any")
    return _opposite(mask) if mask is not None else None


def _all_of(spot: Spot, node: ast.expr, name: str) -> str | None:
    """m, of `m.all()` and `jnp.all(m)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=attr), args=args, keywords=[]) if attr == name:
            if is_module(spot, owner):
                return _text(spot, args[0]) if len(args) == 1 else None
            return _text(spot, owner) if not args else None
    return None


def _text(spot: Spot, node: ast.expr) -> str:
    """The mask as text, without what says the same: `jnp.logical_not(m)` is `~m`."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="logical_not"), args=[mask], keywords=[]) if is_module(spot, owner):
            return _opposite(_text(spot, mask))
        case ast.Call(func=ast.Attribute(value=owner, attr="where" | "nonzero"), args=[mask], keywords=[]) if is_module(
            spot, owner
        ):
            return _text(spot, mask)
        case ast.UnaryOp(op=ast.Invert(), operand=mask):
            return _opposite(_text(spot, mask))
        case ast.Compare(left=left, ops=[ast.NotEq()], comparators=[right]):
            return _opposite(ast.unparse(ast.Compare(left, [ast.Eq()], [right])))
    return ast.unparse(node)


def _opposite(mask: str) -> str:
    return mask.removeprefix("~") if mask.startswith("~") else f"~{mask}"


RULES: list[Rule] = [in_any_case]
