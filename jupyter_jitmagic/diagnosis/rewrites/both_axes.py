"""Tables of which some rows and some columns count: `A[keep][:, keep]`, `A[jnp.ix_(places, places)]`."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_jitmagic.diagnosis.rewrites.operations import Called, is_module
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites.consuming import Consumers
    from jupyter_jitmagic.diagnosis.rewrites.indexing import Indexing
    from jupyter_jitmagic.diagnosis.rewrites.ragged import Writer


def table_of(flow: Writer, rows: str, columns: str, dtype: str, source: int = -1, behind: int = 0) -> Ragged:
    """A table whose rows and columns count where these masks hold; `behind`: axes that follow, as an image's channels."""
    more = ", None" * behind
    pairs = flow.named(f"{enclosed(rows)}[:, None{more}] & {enclosed(columns)}[None, :{more}]", "pairs", "both", "table")
    grid = (rows, columns, *[""] * behind)
    return Ragged(pairs, ndim=2 + behind, flat=True, dtype=dtype, source=source, grid=grid)


def is_row_or_column(held: Ragged) -> bool:
    """Whether one of the first two axes is of unknown length, and nothing else is."""
    return held.ndim >= 2 and held.axis < 2 and not (held.flat or held.listed or held.group)


def selected_again(flow: Writer, held: Ragged, mask: str, at: int) -> Ragged | None:
    """A table that is selected along one axis, selected along the other."""
    if not is_row_or_column(held) or at == held.axis or at > 1:
        return None
    return table_of(flow, *((held.mask, mask) if at else (mask, held.mask)), held.dtype, behind=held.ndim - 2)


def gathered(flow: Indexing, node: ast.Subscript, base: Ragged | None, parts: list[ast.expr]) -> Ragged | None:
    """`A[places][:, places]`, `A[jnp.ix_(places, places)]`, `A[places[:, None], places]` of a table `A`."""
    fact = flow.spot.fact(node)
    dtype = fact.dtype if fact is not None and fact.dtype else "f"
    if base is not None:
        if not is_row_or_column(base) or len(parts) > 2:
            return None
        whole = [isinstance(part, ast.Slice) and not (part.lower or part.upper or part.step) for part in parts]
        at = 0 if len(parts) == 1 else whole.index(False) if whole.count(False) == 1 else -1
        places = flow.visit(parts[at]) if at >= 0 and at != base.axis and not isinstance(parts[at], ast.Slice) else None
        return selected_again(flow, base, places.mask, at) if places is not None and _are_places(places) else None
    if flow.ndim(node.value) != 2:
        return None
    match parts:
        case [ast.Call(func=ast.Attribute(attr="ix_", value=owner), args=[one, two], keywords=[])] if is_module(
            flow.spot, owner
        ):
            rows, columns = flow.visit(one), flow.visit(two)
            if rows is not None and columns is not None and _are_places(rows) and _are_places(columns):
                return table_of(flow, rows.mask, columns.mask, dtype)
        case [ast.Subscript() as column, two]:
            rows, columns = flow.visit(column), flow.visit(two)
            column_of = rows is not None and (rows.ndim, rows.axis) == (2, 0) and not rows.flat and rows.dtype in ("i", "u")
            if rows is not None and columns is not None and column_of and _are_places(columns):
                return table_of(flow, rows.mask, columns.mask, dtype)
    return None


def _are_places(found: Ragged) -> bool:
    return found.ndim == 1 and not found.flat and found.dtype in ("i", "u")


def product(
    flow: Consumers,
    node: ast.expr,
    sides: tuple[ast.expr, ast.expr],
    found: tuple[Ragged | None, Ragged | None],
    dims: list[int],
) -> Ragged | None:
    """A product of which one factor is such a table: what meets has to count in both."""
    outer: list[str] = []
    inner = []
    known = {mask for each in found if each is not None for mask in each.grid}
    ordered = [
        flow.ordered(side, each) if each is not None and not each.grid and each.mask not in known and not each.listed else each
        for side, each in zip(sides, found, strict=True)
    ]  # beside `A[jnp.ix_(i, i)]`, in which what counts stands in front
    for number, (side, each, ndim) in enumerate(zip(sides, ordered, dims, strict=True)):
        if each is None or each.listed or each.group or (each.flat and not each.grid) or ndim > 2:
            flow.stop(node)
        masks = list(each.grid) or [each.mask if axis == each.axis else "" for axis in range(ndim)]
        inner.append(masks.pop(-1 if number == 0 else 0))
        outer += masks
        flow.replace(side, flow.padded(side, each, "0"))
    if inner[0] != inner[1] or not inner[0]:
        flow.stop(node)
    dtype = next(each.dtype for each in found if each is not None)
    if len(outer) == 2 and all(outer):
        return table_of(flow, outer[0], outer[1], dtype)
    mask = next(filter(None, outer), "")
    # not 0 where it does not count: an infinite factor makes NaN of the zeros there
    return Ragged(mask, axis=outer.index(mask), ndim=len(outer), dtype=dtype) if mask else None


def unit_table(flow: Writer, node: ast.Call, held: Ragged, dtype: str) -> tuple[str, Ragged] | None:
    """`jnp.eye(n)`, n the length of a selection: ones on the whole diagonal, of which as many count."""
    if len(node.args) > 1 or any(each.arg != "dtype" for each in node.keywords) or held.flat or held.listed or held.times:
        return None
    rest = "".join(f", {each.arg}={flow.text(each.value)}" for each in node.keywords)
    text = f"{flow.code.src(node.func)}({enclosed(held.mask)}.size{rest})"
    return text, replace(table_of(flow, held.mask, held.mask, dtype), pad="0")


def triangle(flow: Consumers, node: ast.Call, known: Called) -> Ragged | None:
    """`jnp.triu(table, 1)` of a table with the same rows and columns, in whose order they are: what stands above the diagonal
    does so among those that count. How far above it does not hold for them."""
    table = flow.visit(known.arguments[0]) if known.arguments else None
    offset = known.keyword("k") or (known.arguments[1] if len(known.arguments) > 1 else None)
    flow.plain(*known.arguments[1:], *(each.value for each in known.keywords))
    if table is None:
        return None
    ordered = {"0", "1" if known.name == "triu" else "-1"}
    if not _is_square(table) or (offset is not None and ast.unparse(offset) not in ordered):
        flow.stop(node)
    return replace(table, direct=False)


def _is_square(table: Ragged) -> bool:
    return len(table.grid) == 2 and table.grid[0] == table.grid[1]


def of_a_square(flow: Consumers, node: ast.Call, known: Called) -> Ragged | None:
    """`jnp.trace`, `jnp.diag`, `jnp.linalg.inv`, `.det`, `.cholesky` and `.solve` of a table with the same rows and columns: a
    one stands on the diagonal of what does not count, so that it is a block of its own. `jnp.diag` of a vector makes such a
    table."""
    found = [flow.visit(argument) for argument in known.arguments]
    flow.plain(*(each.value for each in known.keywords))
    table, *others = found or [None]
    if known.name == "diag" and table is not None and (table.ndim, len(found), known.keywords) == (1, 1, []):
        if table.flat or table.listed or table.group:
            flow.stop(node)
        flow.replace(known.arguments[0], flow.padded(known.arguments[0], table, "0"))
        return replace(table_of(flow, table.mask, table.mask, table.dtype), pad="0")
    if not any(each is not None for each in found):
        return None
    solves = known.name.startswith("solve")
    options = known.keywords and known.name != "solve_triangular"
    if table is None or not _is_square(table) or options or len(found) != (2 if solves else 1):
        flow.stop(node)
    array, mask = known.arguments[0], table.grid[0]
    if known.name == "trace":
        flow.replace(node, f"{flow.jnp('sum')}({flow.jnp('diag')}({flow.text(array)}), where={mask})")
        return None
    if known.name in ("diag", "diagonal"):
        return Ragged(mask, dtype=table.dtype)
    flow.replace(array, f"{flow.jnp('where')}({table.mask}, {flow.text(array)}, {flow.jnp('eye')}({enclosed(mask)}.size))")
    if known.name in ("det", "slogdet"):
        return None
    if not solves:
        return Ragged(table.mask, ndim=2, flat=True, dtype="f", grid=table.grid)
    right = others[0]
    if right is None or right.mask != mask or right.axis or right.ndim > 2 or right.flat or right.listed or right.group:
        flow.stop(node)
    flow.replace(known.arguments[1], flow.padded(known.arguments[1], right, "0"))
    return Ragged(mask, ndim=right.ndim, pad="0", dtype="f")
