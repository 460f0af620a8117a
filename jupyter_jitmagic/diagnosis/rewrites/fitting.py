"""Fits to points of unknown number: `jnp.polyfit`, `jnp.linalg.lstsq`, `jnp.linalg.pinv`."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_jitmagic.diagnosis.rewrites.operations import Called
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed
from jupyter_jitmagic.source.names import loaded

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites.consuming import Consumers


_BY_ALL_ROWS = {"limit": "few of very many rows: what is too small to be inverted goes by the number of all of them"}


def fitted(flow: Consumers, node: ast.Call, known: Called) -> Ragged | None:
    """Points that do not count: rows of zeros, which take no part in least squares, or weights of 0."""
    if len(known.arguments) < 2:
        flow.stop(node)
    points, values, *others = known.arguments
    found = [flow.visit(points), flow.visit(values)]
    weights = known.keyword("w")
    heavy = flow.visit(weights) if weights is not None else None
    flow.plain(*others, *(each.value for each in known.keywords if each.arg != "w"))
    one, two = found
    if one is not None and two is not None and one.mask != two.mask and one.is_lined_up and two.is_lined_up:
        one, two = flow.ordered(points, one), flow.ordered(values, two)  # `jnp.polyfit(jnp.arange(len(s)), s, 1)`
    if one is None and two is None and heavy is None:
        return None
    if one is None or two is None or one.mask != two.mask or not all(_are_rows(each) for each in (one, two)):
        flow.stop(node)
    if known.name == "lstsq" and not _is_solution_alone(flow, node):
        flow.stop(node)  # the residuals, the rank and the singular values are those of all rows
    limited = known.name == "lstsq" and _is_rank_read(flow, node)
    if limited and (others or known.keywords or flow.current is None):
        flow.stop(node)  # what is 0 for it goes by the number of rows
    for side, each in ((points, one), (values, two)):
        flow.replace(side, flow.padded(side, each, "0"))
    if limited:
        rows, seen = flow.named(flow.text(points), "rows", "rows_that_count"), flow.text(values)
        flow.replace(points, rows)
        most = f"{flow.jnp('maximum')}({flow.count(one)}, {rows}.shape[1])"
        dtype = f"{flow.jnp('result_type')}({rows}, {seen}, float)" if one.dtype != "f" or two.dtype != "f" else f"{rows}.dtype"
        flow.with_keyword(node, f"rcond={flow.jnp('finfo')}({dtype}).eps * {most}")
    if known.name == "polyfit":
        if len(others) + (known.keyword("deg") is not None) != 1 or {each.arg for each in known.keywords} - {"w", "deg"}:
            flow.stop(node)
        if weights is None:
            flow.with_keyword(node, f"w={enclosed(one.mask)}.astype(float)")
        elif heavy is not None and heavy.mask == one.mask and _are_rows(heavy):
            flow.replace(weights, flow.padded(weights, heavy, "0"))
        else:
            flow.stop(node)
    return None


def pseudo_inverse(flow: Consumers, node: ast.Call, known: Called) -> Ragged | None:
    """`jnp.linalg.pinv(A)`: a row of zeros gives a column of zeros."""
    found = flow.visit(known.arguments[0]) if known.arguments else None
    flow.plain(*known.arguments[1:], *(each.value for each in known.keywords))
    if found is None:
        return None
    if found.ndim != 2 or found.flat or found.listed or found.group or found.grid or found.dtype != "f":
        flow.stop(node)
    if len(known.arguments) > 1 or known.keywords:
        flow.stop(node)
    flow.replace(known.arguments[0], flow.padded(known.arguments[0], found, "0"))
    flow.excludes |= _BY_ALL_ROWS  # jit and grad together take no limit that is traced
    return replace(found, axis=1 - found.axis, pad="0", dtype="f", direct=False, source=-1)


def _are_rows(each: Ragged) -> bool:
    return each.axis == 0 and not (each.flat or each.listed or each.group or each.grid)


def _is_solution_alone(flow: Consumers, node: ast.Call) -> bool:
    """Whether nothing but the first of what `lstsq` gives is used."""
    match flow.code.parents[node]:
        case ast.Subscript(value=value, slice=ast.Constant(value=0)) if value is node:
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) if flow.spot.function is not None:
            read = [n for n in ast.walk(flow.spot.function) if isinstance(n, ast.Name) and n.id == name]
            return all(isinstance(n.ctx, ast.Store) or _is_first(flow, n) for n in read)
        case ast.Assign(targets=[ast.Tuple(elts=[first, *others])]) if flow.spot.function is not None:
            names = [each.value if isinstance(each, ast.Starred) else each for each in others]
            names = [each for place, each in enumerate(names) if len(names) < 3 or place != _RANK]
            read_at_all = set(loaded([flow.spot.function]))
            unread = all(isinstance(each, ast.Name) and each.id not in read_at_all for each in names)
            return unread and not isinstance(first, ast.Starred)
    return False


_RANK = 1  # of what `lstsq` gives behind the solution


def _is_rank_read(flow: Consumers, node: ast.Call) -> bool:
    match flow.code.parents[node]:
        case ast.Assign(targets=[ast.Tuple(elts=[_, *others])]) if len(others) == 3 and flow.spot.function is not None:
            rank = others[_RANK]
            return not isinstance(rank, ast.Name) or rank.id in loaded([flow.spot.function])
    return False


def _is_first(flow: Consumers, node: ast.Name) -> bool:
    match flow.code.parents[node]:
        case ast.Subscript(slice=ast.Constant(value=0)):
            return True
    return False
