"""Loops over what remains of an array: `while order.size > 0: i = order[0] … order = order[inds + 1]`.

Each round takes the first element off and keeps some of the others. Said as `rest = order[1:]`, `order = rest[mask]`, the array
can stay whole beside a mask of what remains, which other rules write.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import jax

from jupyter_jitmagic.diagnosis.rewrites.containers import as_arrays
from jupyter_jitmagic.diagnosis.rewrites.rounds import mask_of_places, what_remains
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit
from jupyter_jitmagic.source.names import SCOPES, loaded, stored, walk_scope


def named_rest(spot: Spot) -> Iterator[Step]:
    """`f(order[1:])`, `order = order[jnp.where(c)[0] + 1]` → `rest = order[1:]`, `f(rest)`, `order = rest[c]`; then lists that
    such a loop fills become arrays."""
    loop = _around(spot)
    if loop is None or not isinstance(spot.function, ast.FunctionDef):
        return
    name, code = what_remains(spot, loop), spot.code
    if not name or not _is_a_row(spot.locals.get(name)) or not code.on_own_lines(loop.body):
        return
    edits = _with_a_rest(spot, loop, name)
    if edits:
        yield spot.step("slice", *(((start, end), text) for start, end, text in edits))
        return
    try:
        yield from as_arrays(spot, loop)
    except Obstacle:
        return


def _around(spot: Spot) -> ast.While | None:
    for at in spot.code.ancestors(spot.node):
        if isinstance(at, SCOPES):
            return None
        if isinstance(at, ast.While):
            return at
    return None


def _is_a_row(value: object) -> bool:
    return isinstance(value, jax.Array) and value.ndim == 1


def _with_a_rest(spot: Spot, loop: ast.While, name: str) -> list[Edit]:
    code = spot.code
    edits: list[Edit] = []
    rest, named = code.fresh("rest", f"rest_of_{name}"), ""
    lows: set[int] = set()
    first: ast.stmt | None = None
    shortened = next((each for each in loop.body if name in stored([each])), None)
    if not isinstance(shortened, ast.Assign):
        return []
    for statement in loop.body[: loop.body.index(shortened) + 1]:
        for node in walk_scope([statement]):
            match node:
                case ast.Subscript(
                    value=ast.Name(id=each), slice=ast.Slice(lower=ast.Constant(value=int() as low), upper=None, step=None)
                ) if each == name and low > 0:
                    lows.add(low)
                    match code.parents[node]:
                        case ast.Assign(targets=[ast.Name(id=called)]) if not edits and not named:
                            if statement not in loop.body or _times_bound(loop, called) > 1:
                                return []
                            rest = named = called  # it has a name already
                            continue
                        case ast.Assign():
                            return []
                    edits.append((*code.span(node), rest))
                    first = first or statement
    if len(lows) > 1:
        return []
    taken = _taken_by_places(spot, loop, name, shortened, edits)
    if taken is None:
        match shortened.value:
            case ast.Subscript(value=ast.Subscript(value=ast.Name(id=each), slice=ast.Slice())) if each == name and lows:
                pass
            case _:
                return []
    else:
        low, own = taken
        if {low} < lows or low < 1 or (lows and lows != {low}):
            return []
        lows.add(low)
        edits = [each for each in edits if not any(start <= each[0] and each[1] <= end for start, end, _ in own)]
        edits += [(start, end, text.replace("REST", rest)) for start, end, text in own]
    if named:
        return edits
    first = first or shortened
    start = code.region([first], comments=True)[0]
    edits.append((start, start, f"{code.indent(first)}{rest} = {name}[{lows.pop()}:]\n"))
    return edits


def _times_bound(loop: ast.While, name: str) -> int:
    return sum(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for n in ast.walk(loop))


def _taken_by_places(
    spot: Spot, loop: ast.While, name: str, shortened: ast.Assign, edits: list[Edit]
) -> tuple[int, list[Edit]] | None:
    """(k, edits) of `inds = jnp.where(c)[0]`, `order = order[inds + k]`: what is k places behind those where c holds."""
    code = spot.code
    match shortened.value:
        case ast.Subscript(
            value=ast.Name(id=each),
            slice=ast.BinOp(left=ast.Name(id=places), op=ast.Add(), right=ast.Constant(value=int() as low))
            | ast.BinOp(left=ast.Constant(value=int() as low), op=ast.Add(), right=ast.Name(id=places)),
        ) if each == name:
            pass
        case ast.Subscript(
            value=ast.Name(id=each), slice=ast.BinOp(left=found, op=ast.Add(), right=ast.Constant(value=int() as low))
        ) if each == name:
            mask = mask_of_places(spot, found)
            return (
                None
                if mask is None
                else (low, [(*code.span(shortened.value), f"REST[{code.edited(*code.span(mask), edits)}]")])
            )
        case _:
            return None
    made = [each for each in loop.body if places in stored([each])]
    uses = [n for n in ast.walk(spot.function or loop) if isinstance(n, ast.Name) and n.id == places]
    if len(made) != 1 or len(uses) != 2 or not isinstance(made[0], ast.Assign) or not code.on_own_lines([made[0]]):
        return None
    mask = mask_of_places(spot, made[0].value)
    block = loop.body
    between = block[block.index(made[0]) + 1 : block.index(shortened)]
    if mask is None or loaded([mask]) & set(stored(between)):
        return None
    return low, [(*code.region([made[0]]), ""), (*code.span(shortened.value), f"REST[{code.edited(*code.span(mask), edits)}]")]


RULES: list[Rule] = [named_rest]
