"""Unique values and groups, of which nobody knows beforehand how many there are."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_jitmagic.diagnosis.rewrites.operations import PARTIAL, is_module
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed
from jupyter_jitmagic.diagnosis.rewrites.selection import Selection, dtype_of, owner_of
from jupyter_jitmagic.source.names import name_of

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites.flow import Flow


UNIQUE = ("unique", "unique_values")
KIN = (*UNIQUE, "intersect1d", "setdiff1d", "setxor1d", "union1d")


def distinct(flow: Flow, node: ast.Call, name: str, several: bool) -> Selection | None:
    """`jnp.unique(x)` and its kin with a size, and which of its values count."""
    if any(keyword.arg in ("size", "axis") for keyword in node.keywords) or flow.current is None:
        return None
    held = [flow.visit(arg) for arg in node.args]
    if not any(flow.is_traced(arg) for arg in node.args):
        return None
    flags = [k.arg for k in node.keywords if k.arg and k.arg.startswith("return_")]
    owner = flow.code.src(node.func).removesuffix(name)
    first = flow.text(node.args[0])
    dtype = dtype_of(flow, node.args[0])
    if held[0] is not None:
        counted = several and flags == ["return_counts"]
        if name not in UNIQUE or held[0].grid or (flags and not counted) or len(node.args) > 1:
            flow.stop(node)
        text, held_flat = flow.raveled(first, held[0])
        if held_flat.ndim > 1:
            flow.stop(node)
        return _distinct_of(flow, text, held_flat, owner, name, counted)
    first = flow.constant(first, dtype)
    if several:
        return _distinct_several(flow, node, name, flags, first)
    if flags or any(k.arg for k in node.keywords) or len(node.args) != (1 if name in UNIQUE else 2):
        return None
    if any(each is not None for each in held):
        flow.stop(node)
    if name in ("union1d", "setxor1d"):
        first = f"{owner}concatenate([{owner}ravel({first}), {owner}ravel({flow.constant(flow.text(node.args[1]), dtype)})])"
        size = f"{owner}size({first})"
    else:
        size = f"{flow.operand(node.args[0])}.size"
    values, counts = flow.fresh("distinct", "distinct_values"), flow.fresh("counts", "how_often")
    each = ", equal_nan=False" if name == "unique_values" else ""  # as the array API's standard has it
    least = name in UNIQUE and flow.levels.get(flow.sources, 0) == PARTIAL  # then the others stand for one that occurs
    fill = "" if least else ", fill_value=0"
    flow.line_before(f"{values}, {counts} = {owner}unique({first}, size={size}{fill}, return_counts=True{each})")
    ragged = Ragged(f"({counts} > 0)", front=True, dtype=dtype)
    if least:
        number, flow.sources = flow.sources, flow.sources + 1
        return Selection(values, replace(ragged, source=number, direct=True), "size=")
    if name in ("intersect1d", "setdiff1d"):
        other = f"{owner}isin({values}, {flow.text(node.args[1])}{', invert=True' if name == 'setdiff1d' else ''})"
        kept = flow.fresh("common" if name == "intersect1d" else "kept", "kept")
        flow.line_before(f"{kept} = ({counts} > 0) & {other}")
        ragged = Ragged(kept, dtype=dtype)
    if name == "setxor1d":
        sides = [f"{owner}isin({values}, {flow.text(arg)})" for arg in node.args]
        kept = flow.fresh("in_one", "kept")
        flow.line_before(f"{kept} = ({counts} > 0) & ~({' & '.join(sides)})")
        ragged = Ragged(kept, dtype=dtype)
    return Selection(values, ragged, "size=", fills=True)


def _distinct_several(flow: Flow, node: ast.Call, name: str, flags: list[str], first: str) -> Selection | None:
    """`values, counts = jnp.unique(x, return_counts=True)`; with the inverse, too."""
    statement = flow.current
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if name != "unique" or not isinstance(target, ast.Tuple) or len(target.elts) != len(flags) + 1:
        return None
    given = [k.arg for k in node.keywords]
    if any(arg not in ("return_counts", "return_inverse", "return_index") for arg in given):
        return None
    order = [flag for flag in ("return_index", "return_inverse", "return_counts") if flag in flags]
    names = {flag: part.id for flag, part in zip(order, target.elts[1:], strict=True) if isinstance(part, ast.Name)}
    size = f"{flow.operand(node.args[0])}.size"
    fill = ", fill_value=0" if "return_counts" in names else ""
    flow.replace(node.args[0], first)
    text = f"{flow.text(node)[:-1].rstrip().removesuffix(',')}, size={size}{fill})"
    if "return_counts" in names:
        many = names["return_counts"]
        mask = f"({many} > 0)"
        if flow.stores(many) > 1:
            mask = flow.fresh("found", "present")
            flow.line_after(f"{mask} = {many} > 0")
    elif "return_inverse" in names:
        mask = flow.fresh("counts", "valid", "filled")
        inverse = names["return_inverse"]
        flow.line_after(f"{mask} = {flow.jnp('arange')}({size}) <= {flow.jnp('max')}({inverse})")
    else:
        return None
    ragged = Ragged(mask, front=True, dtype=dtype_of(flow, node.args[0]))
    counts = Ragged(mask, front=True, dtype="i")
    if flow.stores(names.get("return_inverse", "")) == 1:
        flow.inverses[names["return_inverse"]] = counts, f"{names['return_inverse']}.size"
    parts = {"return_index": counts, "return_counts": Ragged(mask, front=True, dtype="i", pad="0"), "return_inverse": None}
    return Selection(text, ragged, "size=", several=(ragged, *(parts[flag] for flag in order)))


def _distinct_of(flow: Flow, array: str, held: Ragged, owner: str, name: str, counted: bool) -> Selection:
    """The distinct values of a selection: sorted, each where it differs from the one before (NaN, which comes last, but once in
    `unique`); `counted`: with their counts."""
    ordered, counts = flow.sorted_front(array, held)
    values, kept = flow.fresh("ordered", "in_order"), flow.fresh("distinct", "first_of_each")
    flow.line_before(f"{values} = {flow.constant(ordered, held.dtype)}")
    differs = f"{values}[1:] != {values}[:-1]"
    if name == "unique" and held.dtype not in ("i", "b"):
        differs = f"({differs}) & ~{owner}isnan({values}[:-1])"
    first = f"{owner}concatenate([{owner}array([True]), {differs}])"
    flow.line_before(f"{kept} = {first} & {enclosed(counts)}")
    ragged = Ragged(kept, dtype=held.dtype)
    if not counted:
        return Selection(values, ragged, "where", fills=True)
    group, many = flow.fresh("group", "group_number"), flow.fresh("how_many", "how_often")
    flow.line_before(f"{group} = {owner}cumsum({kept}) - 1")
    flow.line_before(f"{many} = {owner}zeros({group}.shape, int).at[{group}].add({counts})[{group}]")
    return Selection(f"{values}, {many}", ragged, "where", several=(ragged, replace(ragged, dtype="i")))


def _by_number(flow: Flow, node: ast.Call, name: str, dtype: str, distinct: Ragged, size: str) -> Selection:
    """`jnp.bincount(inverse, weights=w)`: one for each of the distinct values, and as many of no elements behind them."""
    call = flow.text(node)[:-1].rstrip().removesuffix(",")
    made = f"{call}, {'length' if name == 'bincount' else 'num_segments'}={size})"
    pad = "0" if name in ("bincount", "segment_sum") else ""
    return Selection(made, Ragged(distinct.mask, front=True, dtype=dtype or "f", pad=pad), "size=")


def grouped(flow: Flow, node: ast.Call, name: str) -> Selection | None:
    """`segment_sum(x, ids)[ids]`, `bincount(ids)[ids]`: how many groups is data, but no more than there are elements.

    The groups are numbered anew by `unique(ids, return_inverse=True, size=…)`; what is read back by `ids` is the same.
    """
    if any(k.arg in ("num_segments", "length", "minlength") for k in node.keywords) or flow.current is None:
        return None
    if not is_module(flow.spot, owner_of(node)) or not node.args or (name != "bincount" and len(node.args) != 2):
        return None
    ids = node.args[0] if name == "bincount" else node.args[1]
    if not flow.is_traced(ids) or any(flow.visit(arg) is not None for arg in node.args):
        return None
    fact = flow.spot.fact(node)
    if isinstance(ids, ast.Name) and ids.id in flow.inverses and fact is not None and fact.ndim == 1:
        return _by_number(flow, node, name, fact.dtype, *flow.inverses[ids.id])
    flattened = isinstance(ids, ast.Call) and name_of(ids) in ("ravel", "flatten") and not ids.args
    inner = ids.func.value if flattened and isinstance(ids, ast.Call) and isinstance(ids.func, ast.Attribute) else ids
    text = flow.text(inner)
    key = f"groups({text})"
    if key not in flow.state.masks:
        group = flow.fresh("group", "group_number")
        flow.line_before(f"_, {group} = {flow.jnp('unique')}({text}, return_inverse=True, size={enclosed(text)}.size)")
        flow.state.masks[key] = group
    group = flow.state.masks[key]
    flow.replace(ids, f"{group}.ravel()" if flattened else group)
    size = "length" if name == "bincount" else "num_segments"
    call = flow.text(node)[:-1].rstrip().removesuffix(",")
    ndim = fact.ndim if fact is not None and fact.ndim > 0 else 1
    return Selection(f"{call}, {size}={group}.size)", Ragged(group, ndim=ndim, group=text), "size=")
