"""Updates of a part of an array whose place is data: `x.at[i : i + k]`, `x.at[a:b, c:d]`, `x.at[mask]`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.operations import SET_BY_WHERE, set_by_where
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import (
    NEGATIVE,
    PAST_THE_END,
    cut_at,
    length_between,
    ndim_of,
    subscript,
    traced,
)


def window_update(spot: Spot) -> Iterator[Step]:
    """`x.at[i : i + k].set(v)` → `x.at[i + jnp.arange(k)].set(v)`, on several axes too."""
    cut = cut_at(spot)
    if cut is None or not cut.updates:
        return
    node, code = subscript(spot), spot.code
    assert node is not None
    parts = _parts(node)
    index: list[str] = []
    windows = [number for number, part in enumerate(parts) if isinstance(part, ast.Slice) and _asks(spot, part)]
    beside = any(not isinstance(part, ast.Slice) for part in parts)
    if windows[-1] - windows[0] >= len(windows) or (beside and len(windows) > 1):
        return  # indices with a slice between them go to the front
    for number, part in enumerate(parts):
        if number not in windows:
            index.append(code.src(part))
            continue
        assert isinstance(part, ast.Slice)
        length = None if part.upper is None or part.step is not None else _length(spot, part)
        if length is None:
            return
        start = code.operand(part.lower) if part.lower is not None else "0"
        places, behind = f"{start} + {spot.jnp('arange')}({length})", windows[-1] - number
        index.append(f"({places})[:{', None' * behind}]" if behind else places)
    yield spot.step("dynamic_slice", (node, f"{code.src(node.value)}[{', '.join(index)}]"), excludes=PAST_THE_END)


def box_update(spot: Spot) -> Iterator[Step]:
    """`x.at[:n].set(v)` → `jnp.where(jnp.arange(…) < n, v, x)`; `x.at[a:b].set(y[a:b])` → `jnp.where(inside, y, x)`."""
    node, code = _updated(spot), spot.code
    if node is None or cut_at(spot) is None:
        return
    at, method = node.value, code.parents[node]
    call = code.parents.get(method)
    if not isinstance(at, ast.Attribute) or not isinstance(method, ast.Attribute):
        return
    if not isinstance(call, ast.Call) or method.attr not in SET_BY_WHERE or len(call.args) != 1:
        return
    parts = _parts(node)
    tests = _inside(spot, at.value, parts)
    if not tests:
        return
    yield from _chosen(spot, node, at.value, call, method.attr, tests, NEGATIVE)
    ends = _placed_from_the_end(spot, at.value, parts, code.statement(node))
    if ends is not None:  # numbers of an array, of which some are below 0
        yield from _chosen(spot, node, at.value, call, method.attr, ends[1], {}, ends[0])


def _chosen(
    spot: Spot,
    node: ast.Subscript,
    updated: ast.expr,
    call: ast.Call,
    method: str,
    tests: list[tuple[str, str]],
    excludes: dict[str, str],
    bound: Sequence[str] = (),
) -> Iterator[Step]:
    """The update as a choice by these tests of places, with lines that bind names of theirs before it."""
    code, parts, array = spot.code, _parts(node), spot.code.operand(updated)
    row = ", ".join(":" if isinstance(part, ast.Slice) else code.src(part) for part in parts)
    one_row = any(not isinstance(part, ast.Slice) for part in parts)
    value, old = _in_place_of(spot, call.args[0], node, behind=f"[{row}]" if one_row else ""), array
    if one_row:
        old = f"{array}[{row}]"
    new = set_by_where(spot.jnp, method, old, value)
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    test, statement = _joined([text for _, text in tests]), code.statement(node)
    if bound:
        start = code.region([statement])[0]
        edits = [((start, start), "".join(f"{code.indent(statement)}{line}\n" for line in bound))]
    elif len(tests) > 1 and code.on_own_lines([statement]):
        axes = dict.fromkeys(places for places, _ in tests)
        names = dict(zip(axes, _names(spot, len(axes)), strict=True))
        shown = [text.replace(places, names[places]) for places, text in tests]
        inside, start = code.fresh("inside", "chosen"), code.region([statement])[0]
        named = [f"{name} = {places}" for places, name in names.items()]
        whole = "".join(f"{code.indent(statement)}{line}\n" for line in (*named, f"{inside} = {_joined(shown)}"))
        edits, test = [((start, start), whole)], inside
    casts = ("", f".astype({array}.dtype)")
    more = 0 if one_row or not test.isidentifier() else (ndim_of(spot, updated) or 0) - len(parts)
    ways = [(cast, test, edits) for cast in (casts if isinstance(call.args[0], ast.Constant) else reversed(casts))]
    if more > 0:  # another image may have no channels: the axes behind, however many
        first = [(at, line.replace(f"[:{', None' * more}]", "").replace(", None" * more + "]", "]")) for at, line in edits]
        behind = f"{test}.reshape(*{test}.shape, *[1] * ({array}.ndim - {len(parts)}))"
        ways += [(cast, behind, first) for cast, _, _ in ways]
    for cast, test, edits in ways:  # a wider value makes no wider array
        text = f"{spot.jnp('where')}({test}, {new}, {old}){cast}"
        if one_row:
            text = f"{array}.at[{row}].set({text})"
        yield spot.step("where", *edits, (call, text), excludes=excludes)


def _placed_from_the_end(
    spot: Spot, array: ast.expr, parts: list[ast.expr], statement: ast.stmt
) -> tuple[list[str], list[tuple[str, str]]] | None:
    """(lines before the statement, tests as `_inside` gives them) of which bounds below 0 count from the end."""
    code, cut = spot.code, [part for part in parts if isinstance(part, ast.Slice)]
    if len(cut) != 1 or not code.on_own_lines([statement]):
        return None
    size = f"{code.operand(array)}.shape[{parts.index(cut[0])}]"
    lines, names = list[str](), dict[ast.expr, str]()
    for bound, wanted in ((cut[0].lower, "start"), (cut[0].upper, "stop")):
        if bound is not None and traced(spot, bound):
            name = names[bound] = code.fresh(wanted, f"{wanted}_of_it")
            lines += [
                f"{name} = {code.src(bound)}",
                f"{name} = {spot.jnp('where')}({name} < 0, {name} + {size}, {name})",
            ]
    return lines, _inside(spot, array, parts, names)


def _updated(spot: Spot) -> ast.Subscript | None:
    """The `x.at[…]` whose place stopped the trace, or that is set to what is read at the same place."""
    node = subscript(spot)
    for around in spot.code.ancestors(node) if node is not None else ():
        match around:
            case ast.Subscript(value=ast.Attribute(attr="at")) if around is node:
                return around
            case ast.Call(func=ast.Attribute(value=ast.Subscript(value=ast.Attribute(attr="at"), slice=place) as update)):
                return update if node is not None and _left_of(node, place) is not None else None
            case ast.stmt():
                return None
    return None


def _inside(
    spot: Spot, array: ast.expr, parts: list[ast.expr], names: Mapping[ast.expr, str] = MappingProxyType({})
) -> list[tuple[str, str]]:
    """(the places along an axis, whether they are inside, by these names for bounds); none where that cannot be said."""
    code, fact, known = spot.code, spot.fact(array), attribute(spot.value(array), "ndim", 0)
    ndim = known or (fact.ndim if fact is not None else 0)
    left = ndim - sum(not isinstance(part, ast.Slice) for part in parts)
    tests = []
    behind = left
    for axis, part in enumerate(parts):
        if not isinstance(part, ast.Slice):
            index = spot.fact(part)
            if index is None or index.ndim != 0 or index.dtype not in ("i", "u"):
                return []
            continue
        behind -= 1
        if part.step is not None or behind < 0:
            return []
        places = f"{spot.jnp('arange')}({code.operand(array)}.shape[{axis}])"
        places += f"[:{', None' * behind}]" if behind else ""
        for bound, sign in ((part.lower, ">="), (part.upper, "<")):
            if bound is None:
                continue
            now = spot.value(bound)  # of a counter: data in the rounds that follow
            counts = isinstance(bound, ast.Name) and type(now) is int and now >= 0
            if not (traced(spot, bound) or counts or (isinstance(bound, ast.Constant) and isinstance(bound.value, int))):
                return []  # it may be negative
            tests.append((places, f"{places} {sign} {names.get(bound) or code.operand(bound)}"))
    return tests


def _joined(tests: list[str]) -> str:
    return tests[0] if len(tests) == 1 else " & ".join(f"({each})" for each in tests)


def _names(spot: Spot, count: int) -> list[str]:
    """Names for the places along so many axes."""
    wanted = ("places",) if count == 1 else ("rows", "columns", *(f"places_{number}" for number in range(2, count)))
    return [spot.code.fresh(each, f"{each}_of_it") for each in wanted]


def _parts(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def _asks(spot: Spot, part: ast.Slice) -> bool:
    return any(bound is not None and traced(spot, bound) for bound in (part.lower, part.upper))


def _length(spot: Spot, part: ast.Slice) -> str | None:
    assert part.upper is not None
    return length_between(spot, part.lower, part.upper, lambda name: traced(spot, name))


def _in_place_of(spot: Spot, value: ast.expr, place: ast.Subscript, before: str = "", behind: str = "") -> str:
    """The text of what is set, with arrays whole, between these texts, that are read at the place that is set."""
    code = spot.code
    edits = []
    for n in ast.walk(value):
        left = _left_of(n, place.slice) if isinstance(n, ast.Subscript) else None
        if isinstance(n, ast.Subscript) and left is not None:
            index = f"[{', '.join(':' if each is None else code.src(each) for each in left)}]" if left else ""
            edits.append((*code.span(n), before + code.operand(n.value) + index + behind))
    start, end = code.span(value)
    return code.edited(start, end, edits)


def _left_of(read: ast.Subscript, place: ast.expr) -> list[ast.expr | None] | None:
    """What is left of an index (None: a whole axis) where the part is taken that an update sets: `y[::-1, a:b]` at `[:, a:b]`
    leaves `::-1`; None where it is another part."""
    if ast.dump(read.slice) == ast.dump(place):
        return []
    parts, places = _parts(read), list(place.elts) if isinstance(place, ast.Tuple) else [place]
    if len(parts) != len(places):
        return None
    left: list[ast.expr | None] = []
    for part, own in zip(parts, places, strict=True):
        if ast.dump(part) == ast.dump(own) and isinstance(own, ast.Slice):
            left.append(None)
        elif not (isinstance(own, ast.Slice) and own.lower is own.upper is own.step is None):
            return None
        else:
            left.append(part)
    kept = [number for number, each in enumerate(left) if each is not None]
    return left[: kept[0] + 1] if len(kept) == 1 else None


def masked_update(spot: Spot) -> Iterator[Step]:
    """`x.at[mask].set(v)` → `jnp.where(mask, v, x)`; `x.at[:k, mask].set(v)` → `x.at[:k].set(jnp.where(mask, v, x[:k]))`."""
    node = _updated(spot)
    if node is None or type(spot.error).__name__ != "NonConcreteBooleanIndexError":
        return
    if node is not subscript(spot) and len(_parts(node)) == 1:
        return  # what is read there is a selection
    code, method = spot.code, spot.code.parents[node]
    call = code.parents.get(method)
    at = node.value
    if (
        not (isinstance(at, ast.Attribute) and at.attr == "at" and isinstance(method, ast.Attribute))
        or not isinstance(call, ast.Call)
        or call.func is not method
        or method.attr not in SET_BY_WHERE
        or len(call.args) != 1
    ):
        return
    place = _masked_place(spot, node, at.value, call.args[0])
    if place is None:
        return
    mask, beside = place
    part, array = f"[{beside}]" if beside else "", code.operand(at.value)
    old, risky = f"{array}{part}", not harmless([call.args[0]])
    for filled in (True, False) if risky and _reads_at(node, call.args[0]) else (False,):
        before, behind = (f"{spot.jnp('where')}({mask}, ", f"{part}, 1)") if filled else ("", part)  # 1 is safe to compute with
        value = _in_place_of(spot, call.args[0], node, before, behind)
        text = f"{spot.jnp('where')}({mask}, {set_by_where(spot.jnp, method.attr, old, value)}, {old})"
        for cast in ("", f".astype({array}.dtype)"):
            yield spot.step("where", (call, f"{array}.at{part}.set({text}{cast})" if part else f"{text}{cast}"), risky=risky)


def _masked_place(spot: Spot, node: ast.Subscript, array: ast.expr, value: ast.expr) -> tuple[str, str] | None:
    """(the mask along the axes of the part that is updated, the index of that part, "" where it is the whole array)."""
    code, parts = spot.code, _parts(node)
    masks = [part for part in parts if _is_mask(spot, part)] if len(parts) > 1 else parts
    if len(masks) != 1:
        return None  # several masks meet pair by pair
    mask, text = masks[0], code.src(masks[0])
    axes, ndim = ndim_of(spot, mask), ndim_of(spot, array)
    others = [part for part in parts if part is not mask and not isinstance(part, ast.Slice)]
    if len(parts) == 1:
        if axes is not None and ndim is not None and 0 < axes < ndim:
            text = f"({text})[..., {', '.join(['None'] * (ndim - axes))}]"
        return text, ""
    if axes is None or ndim is None or any(ndim_of(spot, part) != 0 or not _is_whole(spot, part) for part in others):
        return None
    number = parts.index(mask)
    behind = ndim - (len(parts) - 1) - axes + sum(isinstance(part, ast.Slice) for part in parts[number + 1 :])
    given = ndim_of(spot, value)
    if behind < 0 or (given is not None and given > (behind if not others else 0) and not _reads_at(node, value)):
        return None  # what is set stands in the order of the places that the mask selects
    kept = [":" for _ in range(axes)]
    beside = [*map(code.src, parts[:number]), *kept, *map(code.src, parts[number + 1 :])]
    while beside and beside[-1] == ":":
        beside.pop()
    wide = f"({text})[..., {', '.join(['None'] * behind)}]" if behind else text
    return wide, ", ".join(beside)


def _is_mask(spot: Spot, part: ast.expr) -> bool:
    fact = spot.fact(part) if not isinstance(part, ast.Slice) else None
    return fact is not None and fact.dtype == "b" and fact.ndim > 0


def _is_whole(spot: Spot, part: ast.expr) -> bool:
    fact = spot.fact(part)
    return fact is not None and fact.dtype in ("i", "u")


def _reads_at(place: ast.Subscript, value: ast.expr) -> bool:
    """Whether what is set is computed of what stands at the same place."""
    return any(isinstance(n, ast.Subscript) and ast.dump(n.slice) == ast.dump(place.slice) for n in ast.walk(value))


UPDATES: list[Rule] = [window_update, box_update, masked_update]
