"""Updates of a part of an array whose place is data: `x.at[i : i + k]`, `x.at[a:b, c:d]`, `x.at[mask]`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.operations import SET_BY_WHERE
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE, PAST_THE_END, cut_at, length_between, subscript, traced


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
    parts, array = _parts(node), code.operand(at.value)
    tests = _inside(spot, at.value, parts)
    if not tests:
        return
    value, old = _whole_in_place_of(spot, call.args[0], node), array
    row = ", ".join(":" if isinstance(part, ast.Slice) else code.src(part) for part in parts)
    one_row = any(not isinstance(part, ast.Slice) for part in parts)
    if one_row:
        old = f"{array}[{row}]"
    new = SET_BY_WHERE[method.attr].format(x=old, v=value)
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    test, statement = _joined([text for _, text in tests]), code.statement(node)
    if len(tests) > 1 and code.on_own_lines([statement]):
        axes = dict.fromkeys(places for places, _ in tests)
        names = dict(zip(axes, _names(spot, len(axes)), strict=True))
        shown = [text.replace(places, names[places]) for places, text in tests]
        inside, start = code.fresh("inside", "chosen"), code.region([statement])[0]
        bound = [f"{name} = {places}" for places, name in names.items()]
        whole = "".join(f"{code.indent(statement)}{line}\n" for line in (*bound, f"{inside} = {_joined(shown)}"))
        edits, test = [((start, start), whole)], inside
    casts = ("", f".astype({array}.dtype)")
    for cast in casts if isinstance(call.args[0], ast.Constant) else reversed(casts):  # a wider value makes no wider array
        text = f"{spot.jnp('where')}({test}, {new}, {old}){cast}"
        if one_row:
            text = f"{array}.at[{row}].set({text})"
        yield spot.step("where", *edits, (call, text), excludes=NEGATIVE)


def _updated(spot: Spot) -> ast.Subscript | None:
    """The `x.at[…]` whose place stopped the trace, or that is set to what is read at the same place."""
    node = subscript(spot)
    for around in spot.code.ancestors(node) if node is not None else ():
        match around:
            case ast.Subscript(value=ast.Attribute(attr="at")) if around is node:
                return around
            case ast.Call(func=ast.Attribute(value=ast.Subscript(value=ast.Attribute(attr="at"), slice=place) as update)):
                return update if node is not None and ast.dump(place) == ast.dump(node.slice) else None
            case ast.stmt():
                return None
    return None


def _inside(spot: Spot, array: ast.expr, parts: list[ast.expr]) -> list[tuple[str, str]]:
    """(the places along an axis, whether they are inside); none where that cannot be said."""
    code, fact, known = spot.code, spot.fact(array), getattr(spot.value(array), "ndim", 0)
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
            if not traced(spot, bound) and not (isinstance(bound, ast.Constant) and isinstance(bound.value, int)):
                return []  # it may be negative
            tests.append((places, f"{places} {sign} {code.operand(bound)}"))
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


def _whole_in_place_of(spot: Spot, value: ast.expr, place: ast.Subscript) -> str:
    """The text of what is set, with arrays whole that are read at the place that is set."""
    code = spot.code
    read = [n for n in ast.walk(value) if isinstance(n, ast.Subscript) and ast.dump(n.slice) == ast.dump(place.slice)]
    start, end = code.span(value)
    return code.edited(start, end, [(*code.span(n), code.operand(n.value)) for n in read])


def masked_update(spot: Spot) -> Iterator[Step]:
    """`x.at[mask].set(v)` → `jnp.where(mask, v, x)`; `.add`, `.multiply`, … alike."""
    node = subscript(spot)
    if node is None or type(spot.error).__name__ != "NonConcreteBooleanIndexError" or isinstance(node.slice, ast.Tuple):
        return
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
    array, mask = code.operand(at.value), code.src(node.slice)
    old, test = spot.value(at.value), spot.value(node.slice)
    if getattr(old, "ndim", 1) > 1 and getattr(test, "ndim", getattr(old, "ndim", 1)) == 1:
        mask = f"({mask})[:, None]"
    value = _whole_in_place_of(spot, call.args[0], node)
    text = f"{spot.jnp('where')}({mask}, {SET_BY_WHERE[method.attr].format(x=array, v=value)}, {array})"
    risky = not harmless([call.args[0]])
    yield spot.step("where", (call, text), risky=risky)
    yield spot.step("where", (call, f"{text}.astype({array}.dtype)"), risky=risky)


UPDATES: list[Rule] = [window_update, box_update, masked_update]
