"""Pieces of an array between places that data says: `laps = jnp.split(x, ends)` → a mask for each piece, of what stands between
two places.

The number of pieces is known, as `ends` has a fixed length; what each is read for is `selected_by_turn`. With places that are
written one by one it is `cutting.split_at`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.host_sizes import is_jnp
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE
from jupyter_jitmagic.source.names import COMPREHENSIONS, walk


def pieces(spot: Spot) -> Iterator[Step]:
    """A list of selections in its place, which has a name."""
    code, call = spot.code, spot.node
    match call:
        case ast.Call(func=ast.Attribute(attr="split"), args=[whole, ends], keywords=[]) if is_jnp(spot, call.func):
            pass
        case _:
            return
    places, known = spot.fact(ends), spot.fact(whole)
    if places is None or (places.sort, places.ndim, places.dtype) != ("array", 1, "i") or known is None or known.ndim < 1:
        return
    statement = code.statement(call)
    around = [each for each in code.ancestors(call) if isinstance(each, COMPREHENSIONS)]
    if code.function(call) is not spot.function or any(each.generators[0].iter is not call for each in around):
        return
    named = False
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is call:
            named = True
        case ast.For(iter=over) if call not in walk(over):
            return
        case ast.Assign() | ast.Return() | ast.For():
            name = code.fresh("pieces", "parts")
        case _:
            return
    array, before = (whole.id, "") if isinstance(whole, ast.Name) else (code.fresh("whole", "array"), code.src(whole))
    starts, stops = code.fresh("starts", f"starts_of_{array}"), code.fresh("stops", f"stops_of_{array}")
    place, k = code.fresh("place", f"place_in_{array}"), code.fresh("k", "number")
    given, size, indent = code.operand(ends), f"{array}.shape[0]", code.indent(statement)
    start = code.region([statement], comments=True)[0]
    lines = f"{array} = {before}\n{indent}" if before else ""
    lines += (
        f"{starts}, {stops} = [0, *{given}], [*{given}, {size}]\n{indent}"
        f"{place} = {spot.jnp('arange')}({size})\n{indent}"
        f"{name} = [{array}[({place} >= {starts}[{k}]) & ({place} < {stops}[{k}])] for {k} in range(len({starts}))]"
    )
    if named:
        yield spot.step("split", (statement, lines), excludes=NEGATIVE)
    else:
        yield spot.step("split", ((start, start), f"{indent}{lines}\n"), (call, name), excludes=NEGATIVE)


RULES: list[Rule] = [pieces]
