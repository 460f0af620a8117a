"""An item that data takes out of a list of known length: `left.remove(max(left))`, `del left[int(i)]`, `v = left.pop(i)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step, is_traced_value

_NAN = {"nan": "NaN, which is equal to none, and of which max() and min() take account by its place alone"}
_ENDS = {"max": "argmax", "min": "argmin"}


def taken_out(spot: Spot) -> Iterator[Step]:
    """The list made anew without the item; Python raises where there is no such, which no array tells."""
    code, statement = spot.code, spot.code.statement(spot.node)
    read, excludes = "", {}
    match statement:
        case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="remove"), args=[item], keywords=[])):
            place, excludes = _place_of(spot, name, item), _NAN
        case ast.Delete(targets=[ast.Subscript(value=ast.Name(id=name), slice=at)]) if not isinstance(at, ast.Slice):
            place = code.expr(at)
        case (
            ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="pop"), args=[at], keywords=[]))
            | ast.Assign(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="pop"), args=[at], keywords=[]))
        ):
            place = code.expr(at)
            if isinstance(statement, ast.Assign):
                read = place
        case _:
            return
    if not code.on_own_lines([statement]) or not _is_of_arrays(spot.locals.get(name), alone=isinstance(statement, ast.Expr)):
        return
    spot.refuse_where_caught(ValueError, IndexError)
    indent, array = code.indent(statement), f"{spot.jnp('array')}({name})"
    lines = ""
    if read and isinstance(statement, ast.Assign):
        place = code.fresh("place", f"place_in_{name}")
        targets = " = ".join(map(code.src, statement.targets))
        lines = f"{indent}{place} = {read}\n{indent}{targets} = {array}[{place}]\n"
    lines += f"{indent}{name} = list({spot.jnp('delete')}({array}, {place}, axis=0, assume_unique_indices=True))\n"
    yield spot.step("delete", (code.region([statement]), lines), excludes=excludes)


def _place_of(spot: Spot, name: str, item: ast.expr) -> str:
    """Where the first item stands that is equal to that one."""
    array = f"{spot.jnp('array')}({name})"
    match item:
        case ast.Call(func=ast.Name(id="max" | "min" as end), args=[ast.Name(id=other)], keywords=[]) if (
            other == name and spot.is_builtin(end)
        ):
            return f"{spot.jnp(_ENDS[end])}({array})"
    return f"{spot.jnp('argmax')}({array} == {spot.code.operand(item)})"


def _is_of_arrays(held: object, alone: bool) -> bool:
    """Whether a list's items, traced ones among them, make an array (of numbers alone)."""
    if not isinstance(held, list) or not held or not any(map(is_traced_value, held)):
        return False
    if len({np.result_type(each) for each in held}) > 1:
        return False
    return (
        all(isinstance(each, (int, float, np.ndarray, jax.Array)) for each in held)
        and len(set(map(np.shape, held))) == 1
        and (not alone or np.ndim(held[0]) == 0)
    )


RULES: list[Rule] = [taken_out]
