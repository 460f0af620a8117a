"""An array whose name a loop gives to a list of its rows: `centers = new` → `centers = jnp.array(new)`.

Plain Python goes through the rows of either; what a compiled loop carries is one of the two all the time.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import jax

from jupyter_jitmagic.diagnosis.rewrites.elements import is_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import is_returned
from jupyter_jitmagic.source.names import uses_of, walk_scope


def made_an_array(spot: Spot) -> Iterator[Step]:
    """The list made an array where the loop around the place binds the name to it, read as either may be."""
    code, function = spot.code, spot.function
    loops = [at for at in code.ancestors(spot.node) if isinstance(at, ast.For | ast.While)]
    if not loops or not isinstance(function, ast.FunctionDef):
        return
    for statement in walk_scope(loops[-1].body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name) as target], value=ast.Name() as rows) if _is_an_array(spot, name):
                pass
            case _:
                continue
        if not _is_a_list(spot, rows) or rows.id in code.live_after(statement):
            continue
        uses = uses_of(function, target, given=True)
        if uses is None or not all(_reads_either(spot, each) for each in uses):
            continue
        returned = [(each, f"list({name})") for each in uses if is_returned(code, each)]
        yield spot.step("rows", (rows, f"{spot.jnp('array')}({rows.id})"), *returned)
        return


def _is_an_array(spot: Spot, name: str) -> bool:
    held = spot.locals.get(name)
    return isinstance(held, jax.Array) and held.ndim > 0


def _is_a_list(spot: Spot, rows: ast.Name) -> bool:
    fact = spot.fact(rows)
    return fact is not None and fact.sort == "list" and fact.length != 0


def _reads_either(spot: Spot, use: ast.Name) -> bool:
    """Whether a list of rows is read there as the array of them would be."""
    code, parent = spot.code, spot.code.parents[use]
    match parent:
        case ast.For(iter=over) | ast.comprehension(iter=over):
            return over is use
        case ast.Subscript(value=value, slice=place):
            return value is use and not isinstance(place, ast.Slice | ast.Tuple)
        case ast.Call(func=ast.Name(id="len" | "enumerate" | "zip" | "sum" as called)):
            return spot.is_builtin(called)
        case ast.Call(func=func):
            return is_of(spot, func)
    return is_returned(code, use)


RULES: list[Rule] = [made_an_array]
