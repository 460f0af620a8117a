"""Where values of unknown length come from: masks, places that are looked for, unique values, filters; slices: `cutting`."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

import jax

from jupyter_jitmagic.diagnosis.rewrites.both_axes import selected_again, unit_table
from jupyter_jitmagic.diagnosis.rewrites.cutting import length_of_a_slice, one_of_split, sliced, split_at
from jupyter_jitmagic.diagnosis.rewrites.grouping import KIN, distinct, grouped
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed
from jupyter_jitmagic.diagnosis.rewrites.repeating import repeated
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle
from jupyter_jitmagic.diagnosis.rewrites.safety import safety_of
from jupyter_jitmagic.diagnosis.rewrites.selection import Selection, dtype_of, owner_of
from jupyter_jitmagic.source.names import loaded, name_of, target_names

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites.flow import Flow


def selection(flow: Flow, node: ast.expr, array: ast.expr | None = None, several: bool = False) -> Selection | None:
    """The selection that an expression makes itself, if it makes one of a length that is not known.

    `array`: the array that is updated, where `node` is the place of an update. `several`: the expression is unpacked.
    """
    if isinstance(node, ast.Subscript) and (isinstance(node.ctx, ast.Load) or array is not None):
        return _by_subscript(flow, node, array)
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        return _filtered(flow, node)
    if isinstance(node, ast.Call):
        name = name_of(node)
        if (
            name in ("compress", "extract")
            and len(node.args) == 2
            and not node.keywords
            and is_module(flow.spot, owner_of(node))
        ):
            mask, array = unraveled(node.args[0], node.args[1])
            return _masked(flow, array, mask)
        if name == "compress" and len(node.args) == 2 and (axis := _axis_alone(node)) is not None:
            return _masked(flow, node.args[1], node.args[0], [*(ast.Slice() for _ in range(axis)), node.args[0]], axis)
        if several and name in ("nonzero", "where") and _looks_for(flow, node):
            text, ragged, ndim = places_of(flow, node)
            return Selection(text, ragged, "size=", several=(ragged,) * ndim)
        if (
            several
            and name in ("split", "array_split")
            and len(node.args) == 2
            and isinstance(node.args[1], ast.List | ast.Tuple)
        ):
            return split_at(flow, node, list(node.args[1].elts))
        if name in ("flatnonzero", "argwhere") and _looks_for(flow, node):
            text, ragged, _ = places_of(flow, node)
            return Selection(text, ragged, "size=")
        if name in KIN and node.args and is_module(flow.spot, owner_of(node)):
            return distinct(flow, node, name, several)
        if name == "delete" and len(node.args) == 2 and not node.keywords and is_module(flow.spot, owner_of(node)):
            return _deleted(flow, node)
        if name.startswith("segment_") or name == "bincount":
            return grouped(flow, node, name)
        if name == "repeat":
            return repeated(flow, node)
        if name == "arange" and len(node.args) == 2:
            return _counting_from(flow, node)
        if name == "arange" and len(node.args) == 3:
            return _counting_down(flow, node)
        if (name == "arange" and len(node.args) == 1) or (name in ("zeros", "ones", "full") and node.args):
            return _counting(flow, node)
        if name in ("eye", "identity") and node.args and (held := flow.count_of(node.args[0])) is not None:
            made = unit_table(flow, node, held, dtype_of(flow, node))
            return Selection(*made) if made is not None else None
        if name == "linspace" and len(node.args) == 3 and not node.keywords:
            return _spaced(flow, node)
    return None


def is_places(flow: Flow, node: ast.Call) -> bool:
    """`jnp.nonzero(c)`, `jnp.where(c)`: a tuple of places."""
    return name_of(node) in ("nonzero", "where") and _looks_for(flow, node)


def is_axis(index: ast.expr) -> bool:
    """Whether an index is a plain number."""
    return isinstance(index, ast.Constant) and isinstance(index.value, int)


def _looks_for(flow: Flow, node: ast.Call) -> bool:
    """`jnp.nonzero(c)`, `jnp.where(c)`: the places where something traced holds."""
    return len(node.args) == 1 and not node.keywords and is_module(flow.spot, owner_of(node)) and flow.is_traced(node.args[0])


# -- masks ----------------------------------------------------------------------------------------------


def _by_subscript(flow: Flow, node: ast.Subscript, array: ast.expr | None) -> Selection | None:
    base, index = array if array is not None else node.value, node.slice
    if isinstance(base, ast.Call) and array is None and name_of(base) in ("nonzero", "where") and _looks_for(flow, base):
        return _one_of_places(flow, node, base)
    if (
        isinstance(base, ast.Call)
        and array is None
        and name_of(base) == "split"
        and isinstance(index, ast.Constant | ast.UnaryOp)
    ):
        return one_of_split(flow, node, base)
    if isinstance(index, ast.Call) and is_places(flow, index):
        return _masked(flow, base, index.args[0], update=array is not None)
    if isinstance(index, ast.Name) and index.id in flow.places:
        return _masked(flow, base, index, update=array is not None)
    if isinstance(base, ast.Name) and base.id in flow.places_of_axes:
        return Selection(flow.code.src(node), flow.places_of_axes[base.id], "size=")
    if isinstance(base, ast.Name) and base.id in flow.places and array is None:
        return _one_of_named(flow, node, base)
    if array is None:
        index, base = unraveled(index, base)
    parts = list(index.elts) if isinstance(index, ast.Tuple) else [index]
    if len(parts) == 2 and isinstance(parts[0], ast.Constant) and parts[0].value is Ellipsis:
        parts = [*(ast.Slice() for _ in range((flow.ndim(base) or 2) - 1)), parts[1]]
    masks = [number for number, part in enumerate(parts) if _is_mask(flow, part, node, base)]
    if len(masks) == 1:
        return _masked(flow, base, parts[masks[0]], parts, masks[0], array is not None)
    if array is None:
        return sliced(flow, node, parts)
    return None


def unraveled(mask: ast.expr, array: ast.expr) -> tuple[ast.expr, ast.expr]:
    """`m.ravel()`, `x.ravel()`: the one selects of the other what m selects of x."""
    match mask, array:
        case (
            ast.Call(func=ast.Attribute(value=one, attr="ravel" | "flatten"), args=[], keywords=[]),
            ast.Call(func=ast.Attribute(value=other, attr="ravel" | "flatten"), args=[], keywords=[]),
        ):
            return one, other
    return mask, array


def _compares_the_array(flow: Flow, part: ast.expr, array: ast.expr) -> bool:
    """`x[x < 0]` on a side that no call came to."""
    match part, array:
        case ast.Compare(left=ast.Name(id=name), ops=[_], comparators=[ast.Constant(value=int() | float())]), ast.Name(id=same):
            held = flow.spot.locals.get(name)
            return name == same and isinstance(held, jax.Array) and held.ndim > 0 and flow.is_traced(part)
    return False


def _is_of_flags(flow: Flow, part: ast.expr) -> bool:
    """`v >= t` of a selection v, on a side that no call came to (asked beside its edits)."""
    if not loaded([part]) & set(flow.state.names):
        return False
    before = flow.state.copy()
    found = flow.visit(part)
    flow.state = before
    return found is not None and found.dtype == "b"


def _is_mask(flow: Flow, part: ast.expr, node: ast.Subscript, array: ast.expr) -> bool:
    if isinstance(part, ast.Slice | ast.Constant | ast.List):
        return False
    fact = flow.spot.fact(part)
    if fact is None:
        failing = type(flow.spot.error).__name__ == "NonConcreteBooleanIndexError"
        if (failing and flow.site is node) or _compares_the_array(flow, part, array) or _is_of_flags(flow, part):
            return True
        return isinstance(part, ast.Name) and flow.is_bool(part) and flow.ndim(array) == 1 and flow.is_traced(part)
    return fact.dtype == "b" and fact.ndim > 0 and fact.sort in ("array", "host") and flow.is_traced(part)


def _axis_alone(node: ast.Call) -> int | None:
    """The axis, where it is a plain number and the call's one keyword."""
    match node.keywords:
        case [ast.keyword(arg="axis", value=ast.Constant(value=int() as axis))] if axis >= 0:
            return axis
    return None


def _masked(
    flow: Flow, base: ast.expr, mask: ast.expr, parts: list[ast.expr] | None = None, at: int = 0, update: bool = False
) -> Selection:
    """`x[mask]`, `X[:, mask]`, `X[mask, 0]`."""
    held, chosen = flow.visit(base), flow.visit(mask)
    parts = parts or [mask]
    others = [part for number, part in enumerate(parts) if number != at]
    if held is not None:
        if chosen is None and all(isinstance(part, ast.Slice) and not (part.lower or part.upper) for part in others):
            table = selected_again(flow, held, _mask_text(flow, mask), at)
            if table is not None and (flow.ndim(mask) or 1) == 1 and not update:
                return Selection(flow.text(base), table)
        fits = flow.was_whole(mask) if chosen is None else chosen.like(held) or (not update and _is_of_rows(chosen, held))
        if not fits or others or held.listed or held.group:
            flow.stop(mask)
        both = f"{enclosed(held.mask)} & {flow.operand(mask)}"
        text = flow.named(both, "kept", "chosen", "selected")
        return Selection(flow.text(base), _of(held, text))
    if chosen is not None:
        flow.stop(mask)
    ndim, depth = flow.ndim(base), flow.ndim(mask) or 1
    if isinstance(mask, ast.Name) and mask.id in flow.places:
        fact = flow.spot.fact(mask)
        depth = fact.length if fact is not None and fact.sort == "tuple" else ndim or 1
    if ndim is None:
        ndim = depth
    text = _mask_text(flow, mask)
    array = flow.operand(base)
    dtype = dtype_of(flow, base)
    if not others:
        if depth == ndim and ndim > 1:
            return Selection(array, Ragged(text, ndim=ndim, flat=True, dtype=dtype), fills=True)
        if depth != 1:
            raise Obstacle(f"`{flow.code.src(mask)}` selects along several axes")
        return Selection(array, Ragged(text, ndim=ndim, dtype=dtype), fills=True)
    flow.plain(*(part for part in others if not isinstance(part, ast.Slice)))
    single = [part for part in others if not isinstance(part, ast.Slice)]
    whole = all(isinstance(part, ast.Slice) and not (part.lower or part.upper or part.step) for part in others)
    if depth != 1 or (update and not whole) or not all(_is_one_place(flow, part) for part in single):
        flow.stop(mask)
    if not whole:
        array += f"[{', '.join(':' if number == at else flow.text(part) for number, part in enumerate(parts))}]"
    before = sum(isinstance(part, ast.Slice) for part in parts[:at])
    return Selection(array, Ragged(text, axis=before, ndim=ndim - len(single), dtype=dtype), fills=True)


def _is_of_rows(chosen: Ragged, held: Ragged) -> bool:
    """Whether flags are one for each row of what is held: `rows[rows[:, 0] <= 1]`."""
    return chosen.ndim == 1 and held.axis == 0 and not held.flat and chosen.like(replace(held, ndim=1))


def _is_one_place(flow: Flow, part: ast.expr) -> bool:
    """Whether an index takes one place of its axis: a whole number."""
    fact = flow.spot.fact(part)
    return fact is not None and fact.ndim == 0 and fact.dtype in ("i", "u")


def _deleted(flow: Flow, node: ast.Call) -> Selection | None:
    """`jnp.delete(x, mask)`, `jnp.delete(x, places)`."""
    array, index = node.args
    if (held := flow.visit(array)) is not None:
        return _deleted_of(flow, array, index, held)
    fact = flow.spot.fact(index)
    found = flow.visit(index)
    if found is None and (fact is None or fact.ndim != 1 or not flow.is_traced(index)):
        return None
    if (flow.ndim(array) or 1) > 1 or (found is not None and (found.ndim > 1 or found.flat)):
        flow.stop(node)
    length = f"{flow.operand(array)}.shape[0]"
    if found is not None:
        places = f"{flow.jnp('where')}({found.mask}, {flow.text(index)}, {length})"
    else:
        places = f"{flow.operand(index)} % {length}"
    mask = f"~{flow.jnp('isin')}({flow.jnp('arange')}({length}), {places})"
    if found is None and fact is not None and fact.dtype == "b":
        mask = f"~{flow.operand(index)}"
    return Selection(flow.operand(array), Ragged(flow.named(mask, "kept", "left"), dtype=dtype_of(flow, array)), fills=True)


def _deleted_of(flow: Flow, array: ast.expr, index: ast.expr, held: Ragged) -> Selection:
    """`jnp.delete(v, jnp.where(v < t)[0])`, `jnp.delete(v, v < t)` of a selection v: what is not asked for is left."""
    match index:
        case ast.Subscript(value=ast.Call() as call, slice=ast.Constant(0)) if is_places(flow, call):
            asked = call.args[0]
        case _:
            asked = index
    flags = flow.visit(asked)
    alike = flags is not None and flags.dtype == "b" and flags.like(held)
    if not alike or held.listed or held.group or held.flat or held.ndim > 1:
        flow.stop(index)
    both = f"{enclosed(held.mask)} & ~{flow.operand(asked)}"
    return Selection(flow.text(array), _of(held, flow.named(both, "kept", "chosen", "selected")))


def _of(held: Ragged, mask: str) -> Ragged:
    of_held = (held.axis, held.ndim, held.flat, "", held.dtype, held.source, held.direct, held.listed)
    return Ragged(mask, False, *of_held, times=held.times)


def _mask_text(flow: Flow, mask: ast.expr) -> str:
    """A name for the mask, or its text where no line can bind one."""
    text = flow.text(mask)
    if flow.places.get(text, text) != text:
        return flow.places[text]
    fact = flow.spot.fact(mask)
    if fact is not None and fact.sort in ("array", "host") and fact.dtype not in ("b", ""):
        return flow.named(f"{enclosed(text)} != 0", "kept", "selected", "chosen")
    if isinstance(mask, ast.Name):
        function = flow.spot.function or flow.code.tree
        stores = [
            n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == mask.id and not isinstance(n.ctx, ast.Load)
        ]
        if len(stores) <= 1 or not _may_follow(flow, stores):
            return text
        if text in flow.state.masks:
            return flow.state.masks[text]
        if flow.current is None:
            return text
        name = flow.fresh("kept", "selected", "chosen")
        flow.line_before(f"{name} = {text}")
        flow.state.masks[text] = name
        return name
    return flow.named(text, "kept", "selected", "chosen")


def _may_follow(flow: Flow, stores: list[ast.Name]) -> bool:
    """Whether one of these may be met after the statement at hand."""
    at = flow.current
    if at is None:
        return True
    loops = [each for each in flow.code.ancestors(at) if isinstance(each, ast.For | ast.While)]
    return any(each.lineno >= (loops[-1] if loops else at).lineno for each in stores)


# -- places ---------------------------------------------------------------------------------------------


def places_of(flow: Flow, node: ast.Call) -> tuple[str, Ragged, int]:
    """(`nonzero` with a size, what counts of it, the number of axes)."""
    asked = node.args[0]
    held, ndim = flow.visit(asked), flow.ndim(asked) or 1
    if held is not None:  # of what was cut off itself: `jnp.where(x[:n] > 0)`
        if held.ndim > 1 or held.flat or held.listed or held.group or held.dtype != "b":
            flow.stop(node)
        front = flow.ordered(asked, held)
        mask = flow.named(f"{flow.operand(asked)} & {enclosed(front.mask)}", "kept", "chosen", "selected")
        ndim = 1
    else:
        mask = _mask_text(flow, asked) if flow.current is not None else flow.operand(asked)
    size = f"{enclosed(mask)}.size"
    number, flow.sources = flow.sources, flow.sources + 1
    safe = flow.levels.get(number, 0) and ndim == 1  # then the others stand for one that is found
    fill = f"{flow.jnp('argmax')}({mask})" if safe else "0"
    text = f"{flow.code.src(node.func)}({mask}, size={size}, fill_value={fill})"
    counts = flow.named(f"{flow.jnp('arange')}({size}) < {flow.jnp('sum')}({mask})", "counts", "found", "valid")
    rows = name_of(node) == "argwhere"
    return text, Ragged(counts, front=True, ndim=2 if rows else 1, dtype="i", source=number if ndim == 1 else -1), ndim


def _one_of_places(flow: Flow, node: ast.Subscript, call: ast.Call) -> Selection | None:
    """`jnp.nonzero(c)[0]`."""
    if not is_axis(node.slice):
        flow.stop(node)
    outer = flow.code.parents.get(node)
    if (
        isinstance(outer, ast.Subscript)
        and outer.value is node
        and isinstance(outer.slice, ast.Constant)
        and isinstance(outer.slice.value, int)
        and outer.slice.value >= 0
    ):  # only the k-th place is used
        flow.plain(call.args[0])
        flow.found, flow.pattern = True, "size="
        flow.state.seen[outer] = flow.state.seen[node] = None
        size = f"size={outer.slice.value + 1}, fill_value=0"
        flow.replace(call, f"{flow.code.src(call.func)}({flow.text(call.args[0])}, {size})")
        return None
    text, ragged, _ = places_of(flow, call)
    return Selection(f"{text}[{flow.code.src(node.slice)}]", ragged, "size=")


def _one_of_named(flow: Flow, node: ast.Subscript, base: ast.Name) -> Selection:
    """`idx[0]`, where `idx` was `jnp.where(c)` and holds c now."""
    if not is_axis(node.slice):
        flow.stop(node)
    held = flow.places[base.id]
    text = f"{flow.jnp('nonzero')}({held}, size={held}.size, fill_value=0)[{flow.code.src(node.slice)}]"
    mask = f"{flow.jnp('arange')}({held}.size) < {flow.jnp('sum')}({held})"
    return Selection(text, Ragged(flow.named(mask, "counts", "found", "valid"), front=True, dtype="i"), "size=")


def _counting(flow: Flow, node: ast.Call) -> Selection | None:
    """`jnp.arange(n)`, `jnp.zeros(n)`, n the length of a selection, or of a slice `x[:, :n]` elsewhere: as long as that."""
    if isinstance(node.args[0], ast.Tuple | ast.List):
        return _rows_counting(flow, node, node.args[0].elts)
    held = flow.count_of(node.args[0]) or length_of_a_slice(flow, node.args[0])
    if held is None:
        return None
    rest = "".join(f", {flow.text(each)}" for each in node.args[1:]) + "".join(
        f", {each.arg}={flow.text(each.value)}" for each in node.keywords
    )
    text = f"{flow.code.src(node.func)}({enclosed(held.mask)}.size{rest})"
    dtype = dtype_of(flow, node)
    if held.front:
        return Selection(text, Ragged(held.mask, True, dtype=dtype))
    if name_of(node) != "arange" and not held.flat:  # the same everywhere: it meets what it counts where that stands
        return Selection(text, Ragged(held.mask, dtype=dtype))
    return Selection(text, Ragged(flow.as_many_in_front(held), True, dtype=dtype))


def _rows_counting(flow: Flow, node: ast.Call, sizes: list[ast.expr]) -> Selection | None:
    """`jnp.ones((n, 2))`, n the length of a selection: as many rows as that, the same everywhere."""
    counted = [(axis, held) for axis, size in enumerate(sizes) if (held := flow.count_of(size)) is not None]
    if len(counted) != 1 or any(isinstance(each, ast.Starred) for each in sizes):
        return None
    ((axis, held),) = counted
    if held.flat or held.times or held.listed or held.group:
        return None
    flow.plain(*node.args[1:], *(each.value for each in node.keywords))
    if name_of(node) == "full" and (len(node.args) < 2 or flow.ndim(node.args[1]) != 0):
        flow.stop(node)  # it may be another in each row
    shape = [f"{enclosed(held.mask)}.size" if at == axis else flow.text(each) for at, each in enumerate(sizes)]
    rest = [flow.text(each) for each in node.args[1:]] + [f"{each.arg}={flow.text(each.value)}" for each in node.keywords]
    inside = f"({', '.join(shape)}{',' if len(shape) == 1 else ''})"
    text = f"{flow.code.src(node.func)}({', '.join([inside, *rest])})"
    return Selection(text, Ragged(held.mask, held.front, axis=axis, ndim=len(sizes), dtype=dtype_of(flow, node)))


def _spaced(flow: Flow, node: ast.Call) -> Selection | None:
    """`jnp.linspace(a, b, n + 2)`, n the length of a selection: as long as that."""
    start, stop, number = node.args
    more = 0
    match number:
        case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=int(more))):
            number = left
    held = flow.count_of(number)
    if held is None or more < 0:
        return None
    flow.plain(start, stop)
    behind = f" + {more}" if more else ""
    places = f"{flow.jnp('arange')}({enclosed(held.mask)}.size{behind})"
    text = f"{places} < {flow.counted(held)}{behind}"
    mask = held.mask if held.front and not more else flow.named(text, "counts", "valid", "filled")
    fewer = f" + {more - 1}" if more > 1 else "" if more else " - 1"
    steps = f"{flow.jnp('maximum')}({flow.count(held)}{fewer}, 1)"
    first, last = flow.operand(start), flow.operand(stop)
    text = f"({first} + ({last} - {first}) * {places} / {steps})"
    if isinstance(start, ast.Constant) and start.value == 0:
        text = f"({last} * {places} / {steps})"
    return Selection(text, Ragged(mask, True, dtype="f"))


def _counting_from(flow: Flow, node: ast.Call) -> Selection | None:
    """`jnp.arange(1, n + 1)`, n the length of a selection: as long as that; `jnp.arange(1, n)` as what follows its first;
    `jnp.arange(a, b)` as the places of `x[a:b]` elsewhere."""
    start, stop = node.args
    rest = "".join(f", {each.arg}={flow.text(each.value)}" for each in node.keywords)
    facts = [flow.spot.fact(each) for each in (start, stop)]
    whole = all(fact is not None and fact.dtype in ("i", "u") for fact in facts) and {k.arg for k in node.keywords} <= {"dtype"}
    if whole and flow.is_traced(start) and (held := length_of_a_slice(flow, stop, start)) is not None:
        return Selection(
            f"{flow.code.src(node.func)}({enclosed(held.mask)}.size{rest})", replace(held, dtype=dtype_of(flow, node))
        )
    more: float = 0
    match stop:
        case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=int(amount) | float(amount))):
            stop, more = left, amount
        case ast.BinOp(left=ast.Constant(value=int(amount) | float(amount)), op=ast.Add(), right=right):
            stop, more = right, amount
        case ast.BinOp(left=left, op=ast.Sub(), right=ast.Constant(value=int(amount) | float(amount))):
            stop, more = left, -amount
    held = flow.count_of(stop)
    match start:
        case ast.Constant(value=int(first) | float(first)) if held is not None and more <= first and _is_whole(first, more):
            left_out = int(first - more)
        case _:
            return None
    if not held.front:
        held = replace(held, mask=flow.as_many_in_front(held), front=True)
    size = f"{enclosed(held.mask)}.size"
    end = f"{size} {'+' if more > 0 else '-'} {abs(more)}" if more else size
    text = f"{flow.code.src(node.func)}({first}, {end}{rest})"
    mask = flow.named(f"{enclosed(held.mask)}[{left_out}:]", "pairs", "counts") if left_out else held.mask
    return Selection(text, Ragged(mask, True, dtype=dtype_of(flow, node)))


def _is_whole(*numbers: float) -> bool:
    """Whether numbers, ints or floats, have no part after the point: from 0.1 on there may be one more than counts."""
    return all(type(each) is not bool and float(each).is_integer() for each in numbers)


def _counting_down(flow: Flow, node: ast.Call) -> Selection | None:
    """`jnp.arange(n, 0, -1)`, n the length of a selection: as long as that, and the first is the number of those that count."""
    held = flow.count_of(node.args[0])
    if held is None or node.keywords or [flow.code.src(each) for each in node.args[1:]] != ["0", "-1"]:
        return None
    if not held.front:
        held = replace(held, mask=flow.as_many_in_front(held), front=True)
    places = f"{flow.code.src(node.func)}({enclosed(held.mask)}.size)"
    text = f"{flow.jnp('maximum')}({flow.count(held)} - {places}, 1)"  # so that nothing is divided by 0
    return Selection(text, Ragged(held.mask, True, dtype="i"))


# -- filters --------------------------------------------------------------------------------------------


def _filtered(flow: Flow, node: ast.ListComp | ast.GeneratorExp) -> Selection | None:
    """`[v for v in x if v > 0]` → all of x, and `kept = x > 0`; `[a * b for a in x for b in y if a > b]` alike."""
    if not any(each.ifs for each in node.generators) or flow.current is None:
        return None
    if len(node.generators) > 1:
        return _filtered_pairs(flow, node)
    code, loop = flow.code, node.generators[0]
    names = set(target_names(loop.target))
    asks = any(
        part.id in names or part.id in flow.traced for test in loop.ifs for part in ast.walk(test) if isinstance(part, ast.Name)
    )
    if not asks or not (flow.is_traced(loop.iter) or any(flow.is_traced(test) for test in loop.ifs)):
        return None
    held = flow._iterated(loop.iter)
    flow.inside(names, [*loop.ifs, node.elt])
    head = f"for {code.src(loop.target)} in {flow.text(loop.iter)}"
    if isinstance(loop.iter, ast.Tuple) and not code.is_enclosed(loop.iter):
        head = f"for {code.src(loop.target)} in ({flow.text(loop.iter)})"
    test = " and ".join(map(flow.operand, loop.ifs)) if len(loop.ifs) > 1 else flow.text(loop.ifs[0])
    kept = flow.named(f"{flow.jnp('asarray')}([{test} {head}], bool)", "kept", "selected", "chosen")
    mask = kept
    if held is not None:
        if held.ndim != 1 or held.flat:
            flow.stop(node)
        mask = flow.named(f"{enclosed(held.mask)} & {kept}", "chosen", "selected")
    fact = flow.spot.fact(node.elt)
    dtype = fact.dtype if fact is not None and fact.dtype else "f"
    if isinstance(loop.iter, ast.Name | ast.Attribute | ast.Subscript) and code.src(node.elt) == code.src(loop.target):
        array = f"{flow.jnp('asarray')}({flow.text(loop.iter)})"
        of = flow.spot.fact(loop.iter)
        if of is not None and of.sort == "array":
            array = flow.text(loop.iter)
    else:
        of = flow.spot.fact(loop.iter)
        if of is not None and of.sort == "array" and held is None:  # what is not kept is computed with all the same
            chosen = Ragged(kept, ndim=max(of.ndim, 1), dtype=of.dtype)
            text, chosen = flow.selected(flow.text(loop.iter), chosen)
            flow.require(replace(chosen, direct=False), safety_of(flow.spot, [node.elt]))
            head = f"for {code.src(loop.target)} in {text}"
        array = flow.fresh("values", "candidates")
        flow.line_before(f"{array} = {flow.jnp('asarray')}([{flow.text(node.elt)} {head}])")
    ndim = (fact.ndim if fact is not None and fact.ndim >= 0 else 0) + 1
    return Selection(array, Ragged(mask, ndim=ndim, dtype=dtype, listed=True), fills=True)


def _filtered_pairs(flow: Flow, node: ast.ListComp | ast.GeneratorExp) -> Selection | None:
    """All pairs of several loops one after the other, and which of them are kept."""
    tests = [test for loop in node.generators for test in loop.ifs]
    if not any(flow.is_traced(part) for loop in node.generators for part in (loop.iter, *loop.ifs)):
        return None
    names: set[str] = set()
    for loop in node.generators:
        if flow.visit(loop.iter) is not None:
            flow.stop(node)
        names |= set(target_names(loop.target))
    flow.inside(names, [*tests, node.elt])
    head = " ".join(f"for {flow.code.src(loop.target)} in {flow.operand(loop.iter)}" for loop in node.generators)
    kept, values = flow.fresh("kept", "selected", "chosen"), flow.fresh("values", "candidates")
    test = " and ".join(map(flow.operand, tests)) if len(tests) > 1 else flow.text(tests[0])
    flow.line_before(f"{kept} = {flow.jnp('asarray')}([{test} {head}], bool)")
    flow.line_before(f"{values} = {flow.jnp('asarray')}([{flow.text(node.elt)} {head}])")
    fact = flow.spot.fact(node.elt)
    dtype = fact.dtype if fact is not None and fact.dtype else "f"
    ndim = (fact.ndim if fact is not None and fact.ndim >= 0 else 0) + 1
    return Selection(values, Ragged(kept, ndim=ndim, dtype=dtype, listed=True), fills=True)
