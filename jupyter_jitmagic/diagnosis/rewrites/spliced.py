"""One place of an array given anew by what stands before and behind it: `jnp.concatenate([x[:i], v, x[i + 1:]])` → an update,
`jnp.concatenate([x[:i], v, x[i:]])` → `jnp.insert`, `jnp.concatenate([x[:i], x[i + 1:]])` → `jnp.delete`."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.proof.verify import OVERLAP
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE, polynomial, traced, written
from jupyter_jitmagic.source.names import loaded

_EXCLUDES = {**NEGATIVE, OVERLAP: "a place past the end, where plain Python makes a longer or shorter array"}


def spliced(spot: Spot) -> Iterator[Step]:
    around = itertools.takewhile(lambda at: isinstance(at, ast.expr), spot.code.ancestors(spot.node))
    for node in around:
        match node:
            case ast.Call(
                func=ast.Attribute(value=owner, attr="concatenate" | "hstack"),
                args=[ast.List(elts=[first, *between, last]) | ast.Tuple(elts=[first, *between, last])],
                keywords=[],
            ) if is_module(spot, owner) and len(between) <= 1:
                pass
            case _:
                continue
        match first, last:
            case (
                ast.Subscript(
                    value=ast.Name(id=name) as array, slice=ast.Slice(lower=None, upper=ast.expr() as start, step=None)
                ),
                ast.Subscript(value=ast.Name(id=other), slice=ast.Slice(lower=ast.expr() as stop, upper=None, step=None)),
            ) if name == other and traced(spot, start):
                for text in _texts(spot, array, start, stop, between[0] if between else None):
                    yield spot.step("splice", (node, text), excludes=_EXCLUDES)
        return


def _texts(spot: Spot, array: ast.Name, start: ast.expr, stop: ast.expr, given: ast.expr | None) -> Iterator[str]:
    """The array with what is given in the place of what stands between both bounds; of its own kind, or of a wider one."""
    text = _text(spot, array, array.id, start, stop, given)
    if not text:
        return
    value = given.args[0].elts[0] if isinstance(given, ast.Call) and isinstance(given.args[0], ast.List) else given
    whole = isinstance(value, ast.Constant) and isinstance(value.value, int)
    if value is None or whole or loaded([value]) == {array.id}:
        yield text
    else:  # integers beside floats become such
        wide = f"{array.id}.astype({spot.jnp('result_type')}({array.id}, {spot.code.expr(value)}))"
        yield _text(spot, array, wide, start, stop, given)


def _text(spot: Spot, array: ast.Name, x: str, start: ast.expr, stop: ast.expr, given: ast.expr | None) -> str:
    """ "" where it is not said so."""
    code, fact = spot.code, spot.fact(array)
    begin, end = polynomial(spot, start), polynomial(spot, stop)
    if begin is None or end is None or fact is None or fact.ndim < 1:
        return ""
    end.subtract(begin)
    left_out = written(end)
    place, along = code.expr(start), "" if fact.ndim == 1 else ", axis=0"
    if given is None:
        return f"{spot.jnp('delete')}({x}, {place}{along}, assume_unique_indices=True)" if left_out == "1" else ""
    match given:
        case ast.Call(func=ast.Attribute(value=owner, attr="array" | "asarray"), args=[ast.List(elts=items)], keywords=[]) if (
            is_module(spot, owner)
        ):
            sizes = {str(len(items))}
            value = code.expr(items[0]) if len(items) == 1 else code.src(given)
        case ast.Name(id=value):
            own = spot.fact(given)
            if own is None or own.ndim != fact.ndim or own.sort not in ("array", "host"):
                return ""
            sizes = {f"len({value})", f"{value}.shape[0]", f"{value}.size" if own.ndim == 1 else ""}
        case _:
            return ""
    if not left_out:
        return f"{spot.jnp('insert')}({x}, {place}, {value})" if fact.ndim == 1 else ""
    if left_out not in sizes:
        return ""
    if left_out == "1":
        return f"{x}.at[{place}].set({value})"
    return f"{x}.at[{code.operand(start)} + {spot.jnp('arange')}({left_out})].set({value})"


RULES: list[Rule] = [spliced]
