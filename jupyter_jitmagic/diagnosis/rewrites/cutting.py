"""Selections by slices whose bounds are traced: a mask of the places between them, or a window where the length is known."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

import jax

from jupyter_jitmagic.diagnosis.rewrites.both_axes import table_of
from jupyter_jitmagic.diagnosis.rewrites.facts import fact_of
from jupyter_jitmagic.diagnosis.rewrites.met_once import without_int
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.diagnosis.rewrites.selection import Selection, dtype_of
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE, length_between
from jupyter_jitmagic.diagnosis.rewrites.tracking import words_of
from jupyter_jitmagic.source.code import Function
from jupyter_jitmagic.source.names import loaded, stored

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites.flow import Flow


def sliced(flow: Flow, node: ast.Subscript, parts: list[ast.expr]) -> Selection | None:
    """`x[a:b]` with traced bounds: the whole axis, and a mask of the places between."""
    cuts = [
        number
        for number, part in enumerate(parts)
        if isinstance(part, ast.Slice)
        and part.step is None
        and any(bound is not None and flow.is_traced(bound) for bound in (part.lower, part.upper))
    ]
    if not cuts or loaded([node.value]) & flow.outgrown:
        return None
    windows = flow.current is not None and all(_is_window(flow, parts[number]) for number in cuts)
    if flow.visit(node.value) is not None:
        return None
    fact = flow.spot.fact(node.value)
    if fact is not None and fact.sort not in ("array", "host"):
        return None
    if len(cuts) > 1 and not windows:
        return _cut_twice(flow, node, parts, cuts)
    # the second of two windows is cut when the first one is
    at = cuts[0]
    part = parts[at]
    assert isinstance(part, ast.Slice)
    others = [other for number, other in enumerate(parts) if number != at]
    flow.plain(*(bound for bound in (part.lower, part.upper) if bound is not None))
    if any(isinstance(other, ast.Slice) and (other.lower or other.upper or other.step) for other in others[:at]):
        return None
    gathers = [other for other in others if (known := flow.spot.fact(other)) is not None and known.ndim > 0]
    if gathers and (len(gathers) > 1 or flow.spot.fact(gathers[0]).ndim > 1 or parts.index(gathers[0]) != at - 1):  # type: ignore[union-attr]
        return None
    array = flow.operand(node.value)
    whole = all(isinstance(other, ast.Slice) and not (other.lower or other.upper or other.step) for other in others)
    window = _window(flow, part) if windows else ""
    if window:
        if gathers:  # two arrays in one index would be taken in pairs
            first = [":" if number == at else flow.text(other) for number, other in enumerate(parts)]
            array += f"[{', '.join(first)}][{', '.join([':'] * kept_axes(parts[:at], gathers))}, {window}]"
        else:
            index = [window if number == at else flow.text(other) for number, other in enumerate(parts)]
            array += f"[{', '.join(index)}]"
    elif not whole:
        array += f"[{', '.join(':' if number == at else flow.text(other) for number, other in enumerate(parts))}]"
    axis = kept_axes(parts[:at], gathers)
    ndim = (flow.ndim(node.value) or len(parts)) - len(others) + kept_axes(others, gathers)
    size = f"{flow.operand(node.value)}.shape[{at}]"
    if window:
        text = flow.named(f"{enclosed(window)} < {size}", "inside", "kept", "chosen", known_as=_cut(flow, node.value, part, at))
        ragged = Ragged(text, True, axis, ndim, dtype=dtype_of(flow, node.value))
        return Selection(array, ragged, "window", fills=True, excludes=NEGATIVE)
    text, excludes = between(flow, node.value, part, at)
    lower, upper = _end(flow, part.lower, "0", size), _end(flow, part.upper, size, size)
    fact = flow.spot.fact(node.value)
    places = max(fact.length, 0) if fact is not None and at == 0 else 0
    kind = dtype_of(flow, node.value)
    ragged = Ragged(text, part.lower is None, axis, ndim, dtype=kind, length=f"({upper}) - ({lower})", places=places)
    return Selection(array, ragged, fills=True, excludes=excludes)


def length_of_a_slice(flow: Flow, number: ast.expr, lower: ast.expr | None = None) -> Ragged | None:
    """What `x[:, :n]` elsewhere in the function is cut to, where a traced number is its n there as well; `x[lower:n]`, too, all
    of whose places are known then."""
    function = flow.spot.function
    if function is None:
        return None
    bounds = [number] if lower is None else [lower, number]
    names = {part.id for bound in bounds for part in ast.walk(bound) if isinstance(part, ast.Name) and flow.is_traced(part)}
    if not names:
        return None
    wanted = [ast.dump(without_int(bound)) for bound in bounds]
    for node in ast.walk(function):
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
            continue
        fact = fact_of(flow.spot.locals.get(node.value.id))
        for at, part in enumerate(node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]):
            match part:
                case ast.Slice(upper=ast.expr(), step=None) if at < fact.ndim and (part.lower is None) == (lower is None):
                    same = [ast.dump(without_int(bound)) for bound in _bounds(part)] == wanted
                    if same and _mean_the_same(flow, function, names, node, number):
                        flow.plain(*bounds)
                        text, excludes = between(flow, node.value, part, at)
                        flow.excludes |= excludes if lower is None else NEGATIVE
                        return Ragged(text, lower is None, dtype="i")
    return None


def _mean_the_same(flow: Flow, function: Function, names: set[str], one: ast.expr, other: ast.expr) -> bool:
    """Whether names are bound to the same at two places: once in all, or by nothing between the two in one block."""
    given = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    if all(flow.stores(name) + (name in given) <= 1 for name in names):
        return True
    first, last = sorted((flow.code.statement(one), flow.code.statement(other)), key=lambda each: each.lineno)
    block = flow.code.block(first)
    return last in block and not {*stored(block[block.index(first) : block.index(last)])} & names


def _cut_twice(flow: Flow, node: ast.Subscript, parts: list[ast.expr], cuts: list[int]) -> Selection | None:
    """`image[a:b, c:d]`: the whole table, and a mask of its rows and of its columns."""
    ndim = flow.ndim(node.value) or 0
    whole = all(isinstance(part, ast.Slice) and not _bounds(part) and part.step is None for part in parts[2:])
    if cuts != [0, 1] or not whole or len(parts) > ndim:
        return None
    bounds = [part for number in cuts for part in _bounds(parts[number])]
    flow.plain(*bounds)
    masks: list[str] = []
    excludes: dict[str, str] = {}
    for number in cuts:
        part = parts[number]
        assert isinstance(part, ast.Slice)
        text, without = between(flow, node.value, part, number)
        masks.append(text)
        excludes |= without
    table = table_of(flow, masks[0], masks[1], dtype_of(flow, node.value), behind=ndim - 2)
    return Selection(flow.operand(node.value), table, fills=True, excludes=excludes)


def _bounds(part: ast.expr) -> list[ast.expr]:
    return [bound for bound in (part.lower, part.upper) if bound is not None] if isinstance(part, ast.Slice) else []


def _cut(flow: Flow, array: ast.expr, part: ast.Slice, at: int) -> str:
    """What arrays of one length that are cut alike have in common."""
    fact = flow.spot.fact(array)
    length = f"{fact.shape[at]}" if fact is not None and fact.shape else f"{flow.operand(array)}.shape[{at}]"
    bounds = "".join(f"{flow.operand(bound) if bound is not None else ''}:" for bound in (part.lower, part.upper))
    return f"cut({bounds!r}, {length!r})"


def between(flow: Flow, array: ast.expr, part: ast.Slice, at: int) -> tuple[str, dict[str, str]]:
    """A mask of the places of an axis between a slice's bounds, and what is left out of the comparison."""
    size = f"{flow.operand(array)}.shape[{at}]"
    places = f"{flow.jnp('arange')}({size})"
    tests, excludes = [], {}
    for bound, sign in ((part.lower, ">="), (part.upper, "<")):
        if bound is None:
            continue
        if isinstance(bound, ast.UnaryOp) and isinstance(bound.op, ast.USub):  # counted from the end; -0 is 0
            tests.append(f"{places} {sign} {_counted_back(flow, bound, size)}")
            if flow.is_traced(bound):
                continue  # right for each k
        else:
            limit = flow.operand(bound)
            own = is_own_count(flow.spot, bound)
            flow.minds_nan |= own
            flow.inexact |= not own
            if (flow.exact or (bound is part.lower and _may_begin_before(part))) and not own:
                limit = f"{flow.jnp('where')}({limit} < 0, {limit} + {size}, {limit})"
            tests.append(f"{places} {sign} {limit}")
            if own or isinstance(bound, ast.Constant):
                continue  # never below 0
        excludes = {} if flow.exact else NEGATIVE
    mask = tests[0] if len(tests) == 1 else " & ".join(f"({test})" for test in tests)
    return flow.named(mask, "kept", "chosen", "valid", known_as=_cut(flow, array, part, at)), excludes


def kept_axes(parts: Sequence[ast.expr], gathers: Sequence[ast.expr]) -> int:
    """How many axes of an array the parts of its index leave in place: slices, and arrays of places."""
    return sum(isinstance(part, ast.Slice) or part in gathers for part in parts)


def is_own_count(spot: Spot, bound: ast.expr) -> bool:
    """Whether a bound is what a rule counts (`containers`), which is never negative, and not the user's."""
    names = {n.id for n in ast.walk(bound) if isinstance(n, ast.Name) and isinstance(spot.value(n), jax.core.Tracer)}
    return bool(names) and not names & words_of(spot.unit.text)


def one_of_split(flow: Flow, node: ast.Subscript, call: ast.Call) -> Selection | None:
    """`jnp.split(x, [k])[0]`."""
    if len(call.args) != 2 or not isinstance(call.args[1], ast.List | ast.Tuple):
        return None
    made = split_at(flow, call, list(call.args[1].elts))
    if made is None:
        return None
    number = ast.literal_eval(node.slice)
    ragged = made.several[number]
    if ragged is None:
        return None
    return Selection(flow.operand(call.args[0]), ragged, fills=True, excludes=NEGATIVE)


def split_at(flow: Flow, node: ast.Call, places: list[ast.expr]) -> Selection | None:
    """`left, right = jnp.split(x, [k])`: x twice, and a mask for each."""
    if node.keywords or not any(map(flow.is_traced, places)) or flow.visit(node.args[0]) is not None:
        return None
    flow.plain(*places)
    array = flow.operand(node.args[0])
    ndim, dtype = flow.ndim(node.args[0]) or 1, dtype_of(flow, node.args[0])
    index = f"{flow.jnp('arange')}({array}.shape[0])"
    texts = [flow.operand(place) for place in places]
    parts = []
    for lower, upper in zip(["", *texts], [*texts, ""], strict=True):
        tests = ([f"{index} >= {lower}"] if lower else []) + ([f"{index} < {upper}"] if upper else [])
        mask = tests[0] if len(tests) == 1 else " & ".join(f"({test})" for test in tests)
        parts.append(Ragged(flow.named(mask, "kept", "chosen", "valid"), not lower, ndim=ndim, dtype=dtype))
    return Selection(", ".join([array] * len(parts)), parts[0], several=tuple(parts), excludes=NEGATIVE)


def _end(flow: Flow, bound: ast.expr | None, otherwise: str, size: str) -> str:
    """Where a slice begins or ends, as a place; of `-k` that of a k above 0."""
    if isinstance(bound, ast.UnaryOp) and isinstance(bound.op, ast.USub):
        return f"{size} - {flow.operand(bound.operand)}"
    return flow.text(bound) if bound is not None else otherwise


def _counted_back(flow: Flow, bound: ast.UnaryOp, size: str) -> str:
    """`-k` as a place: -0 is 0, and where k is below 0 it is none from the end."""
    back = flow.operand(bound.operand)
    return f"{flow.jnp('where')}({back} > 0, {size} - {back}, -{back})" if flow.is_traced(bound) else f"{size} - {back}"


def _may_begin_before(part: ast.Slice) -> bool:
    """`x[i - 2 : i + 3]`: for the first places Python counts from the end, and takes nothing."""
    at = part.lower
    while isinstance(at, ast.BinOp) and not isinstance(at.op, ast.Sub):
        at = at.left
    return isinstance(at, ast.BinOp)


def _is_window(flow: Flow, part: ast.expr) -> bool:
    if not isinstance(part, ast.Slice) or part.lower is None or part.upper is None or flow.current is None:
        return False
    if not flow.leaving and _may_begin_before(part):
        return False
    return bool(length_between(flow.spot, part.lower, part.upper, flow.is_traced))


def _window(flow: Flow, part: ast.Slice) -> str:
    """The places of a slice of known length, by name: those past the end do not count."""
    if part.lower is None or part.upper is None:
        return ""
    length = length_between(flow.spot, part.lower, part.upper, flow.is_traced)
    if not length:
        return ""
    return flow.named(f"{flow.operand(part.lower)} + {flow.jnp('arange')}({length})", "places", "window", "indices")
