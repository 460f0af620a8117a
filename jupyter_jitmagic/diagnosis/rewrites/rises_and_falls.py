"""Where flags begin and end: `jnp.where(d == 1)[0]`, `jnp.where(d == -1)[0]` of `d = jnp.diff(jnp.pad(m, 1))`.

Between flags that hold nowhere at either end there are as many falls as rises, which no number says: their difference has a
length of its own only where this is known.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.source.names import walk

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, Writer

_RISES, _FALLS = ("== 1", "> 0", ">= 1"), ("== -1", "< 0", "<= -1")


def are_of_one(flow: Writer, ragged: list[Ragged]) -> bool:
    """Whether two are the places of all rises and of all falls of one array of flags."""
    if len(ragged) != 2 or not all(each.front and each.ndim == 1 and not each.times for each in ragged):
        return False
    one, other = (_edge(flow, each) for each in ragged)
    return one is not None and other is not None and one[0] == other[0] and one[1] != other[1]


def _edge(flow: Writer, ragged: Ragged) -> tuple[str, bool] | None:
    """(the text of the flags, whether it is where they begin to hold) of places that were looked for."""
    counted = ast.parse(flow.counted(ragged), mode="eval").body
    match counted:
        case ast.Call(func=ast.Attribute(attr="sum"), args=[mask], keywords=[]):
            pass
        case _:
            return None
    if isinstance(mask, ast.Name):
        mask = next((ast.parse(text, mode="eval").body for text, name in flow.state.masks.items() if name == mask.id), mask)
    mask = _bound(flow, mask)
    match mask:
        case ast.Compare(left=left):
            asked = ast.unparse(mask).removeprefix(ast.unparse(left)).strip()
            flags = _flags_of_difference(flow, left)
            rises = asked in _RISES
            return (flags, rises) if flags and (rises or asked in _FALLS) else None
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            sides = [(isinstance(each, ast.UnaryOp), _slice(each)) for each in (left, right)]
            for (turned, before), (also, behind) in (sides, sides[::-1]):
                if turned != also and before[1] == ":-1" and behind[1] == "1:" and before[0] == behind[0]:
                    flagged = ast.parse(before[0], mode="eval").body
                    return (before[0], turned) if _begin_and_end_without(flow, flagged) else None
    return None


def _slice(node: ast.expr) -> tuple[str, str]:
    """`p` and `1:` of `p[1:]`, of `~p[1:]` as well."""
    match node:
        case ast.UnaryOp(op=ast.Invert(), operand=inner):
            return _slice(inner)
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice() as part):
            return name, ast.unparse(part)
    return "", ""


def _flags_of_difference(flow: Writer, node: ast.expr) -> str:
    """The text of p of `jnp.diff(p)`, where p are flags as numbers that hold neither at first nor at last."""
    match _bound(flow, node):
        case ast.Call(func=ast.Attribute(attr="diff", value=owner), args=[flags], keywords=keywords) if is_module(
            flow.spot, owner
        ):
            given = {each.arg: each.value for each in keywords}
            if set(given) == {"prepend", "append"} and all(map(_is_nothing, given.values())) and _are_flags(flow, flags):
                return ast.unparse(node)
            return ast.unparse(node) if not given and _begin_and_end_without(flow, flags) else ""
    return ""


def _begin_and_end_without(flow: Writer, node: ast.expr) -> bool:
    """`jnp.pad(m, 1)`, `jnp.concatenate([[0], m, [0]])` of flags, perhaps as numbers."""
    match _bound(flow, node):
        case ast.Call(func=ast.Attribute(attr="astype", value=inner), args=[_], keywords=[]):
            return _begin_and_end_without(flow, inner)
        case ast.Call(func=ast.Attribute(attr="pad", value=owner), args=[flags, width], keywords=[]):
            return is_module(flow.spot, owner) and ast.unparse(width) in ("1", "(1, 1)") and _are_flags(flow, flags)
        case ast.Call(
            func=ast.Attribute(attr="concatenate" | "hstack", value=owner),
            args=[ast.List(elts=[first, *flags, last]) | ast.Tuple(elts=[first, *flags, last])],
            keywords=[],
        ):
            inside = all(_are_flags(flow, each) for each in flags)
            return is_module(flow.spot, owner) and inside and _is_nothing(first) and _is_nothing(last)
    return False


def _is_nothing(node: ast.expr) -> bool:
    """One flag that does not hold: `0`, `[0]`, `jnp.array([False])`, `jnp.zeros(1, int)`."""
    match node:
        case ast.Constant(value=value):
            return value in (0, False)
        case ast.List(elts=[only]):
            return _is_nothing(only)
        case ast.Call(func=ast.Attribute(attr="array" | "asarray"), args=[flag, *_]):
            return _is_nothing(flag)
        case ast.Call(func=ast.Attribute(attr="zeros"), args=[ast.Constant(value=1), *_]):
            return True
    return False


def _are_flags(flow: Writer, node: ast.expr) -> bool:
    """Whether each element is True or False, or 1 or 0."""
    fact = flow.spot.fact(node)
    if fact is not None and fact.dtype == "b":
        return True
    match _bound(flow, node):
        case ast.Call(func=ast.Attribute(attr="astype", value=inner)):
            return _are_flags(flow, inner)
        case ast.Call(func=ast.Attribute(attr="array" | "asarray" | "int32" | "int8"), args=[inner, *_]):
            return _are_flags(flow, inner)
        case ast.Call(func=ast.Attribute(attr="where"), args=[_, ast.Constant(value=one), ast.Constant(value=other)]):
            return {one, other} <= {0, 1}
        case ast.BinOp(left=inner, op=ast.Mult(), right=ast.Constant(value=1)):
            return _are_flags(flow, inner)
    return False


def _bound(flow: Writer, node: ast.expr) -> ast.expr:
    """What a name is bound to, where that is done once, and no argument has it."""
    function = flow.spot.function
    if not isinstance(node, ast.Name) or not isinstance(function, ast.FunctionDef) or flow.stores(node.id) != 1:
        return node
    if any(isinstance(each, ast.arg) and each.arg == node.id for each in walk(function.args)):
        return node
    for each in walk(function):
        match each:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == node.id:
                return value
    return node
