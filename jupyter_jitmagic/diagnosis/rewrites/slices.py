"""`x[i : i + k]` with a traced start and a known length → `lax.dynamic_slice_in_dim`; its updates → `.at[i + arange(k)]`."""

from __future__ import annotations

import ast
import itertools
import types
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites.rules import BEYOND, Rule, Spot, Step, is_traced_value
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, bound_once, loaded, name_of, stored, walk

SLICE_ERRORS = ("IndexError", "TypeError", "TracerIntegerConversionError")
Polynomial = Counter[tuple[str, ...]]


@dataclass(frozen=True)
class Cut:
    """A slice with a traced bound.

    Attributes:
        lower, upper: its bounds, None where it has none.
        step: it has a step.
        axis: the axis it cuts.
        alone: nothing but full slices stands beside it in the subscript.
        updates: it stands in `x.at[…]`.
    """

    lower: ast.expr | None
    upper: ast.expr | None
    step: bool
    axis: int
    alone: bool
    updates: bool


def cut_at(spot: Spot) -> Cut | None:
    """The slice at which the trace stopped, if it is one."""
    node = subscript(spot)
    if node is None or type(spot.error).__name__ not in SLICE_ERRORS:
        return None
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if any(isinstance(part, ast.Constant) and part.value is Ellipsis for part in parts):
        return None
    for axis, part in enumerate(parts):
        if isinstance(part, ast.Slice) and any(traced(spot, bound) for bound in (part.lower, part.upper) if bound is not None):
            others = [other for other in parts if other is not part]
            alone = all(isinstance(other, ast.Slice) and ast.unparse(other) == ":" for other in others)
            updates = isinstance(node.value, ast.Attribute) and node.value.attr == "at"
            return Cut(part.lower, part.upper, part.step is not None, axis, alone, updates)
    return None


def subscript(spot: Spot) -> ast.Subscript | None:
    """The subscript at which the trace stopped; `x.at[…].set(v)` stops at the call of `set`."""
    node = spot.node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
        if not (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "at"):
            return None
    return node if isinstance(node, ast.Subscript) else None


def traced(spot: Spot, node: ast.expr) -> bool:
    """Whether a traced variable, or a value that is not known here, stands in an expression."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            return True
        if isinstance(part, ast.Name) and is_traced_value(spot.locals.get(part.id)) and not spot.asks_shape(part):
            return True
    return False


def is_read_as_it_is(array: ast.expr) -> bool:
    """Whether it is a name, a field or one row of such, which may be read twice."""
    known = ast.Name | ast.Attribute | ast.Subscript | ast.Constant | ast.Load
    return all(isinstance(each, known) for each in ast.walk(array))


def known_length(spot: Spot, cut: Cut) -> str | None:
    """The text of `upper - lower` where the traced parts cancel, as "5" for `x[i - 2 : i + 3]`."""
    if cut.upper is None or cut.step:
        return None
    return length_between(spot, cut.lower, cut.upper, lambda name: traced(spot, name))


def length_between(
    spot: Spot, lower_bound: ast.expr | None, upper_bound: ast.expr, traced_one: Callable[[ast.expr], bool]
) -> str | None:
    """The text of `upper - lower` where what is traced cancels."""
    upper, lower = polynomial(spot, upper_bound), polynomial(spot, lower_bound) if lower_bound is not None else Counter()
    if upper is None or lower is None:
        return None
    upper.subtract(lower)
    left = [atoms for atoms, number in upper.items() if number]
    parts = [*ast.walk(upper_bound), *(ast.walk(lower_bound) if lower_bound is not None else ())]
    sized = [node.args[0] for node in parts if isinstance(node, ast.Call) and _is_len(node) and spot.is_builtin("len")]
    counted = {name for name in sized if attribute(spot.value(name), "shape", ())}  # no selection, whose length is data
    parts = [node for node in parts if node not in counted]
    asked = {name.id for name in parts if isinstance(name, ast.Name) and traced_one(name)}
    if not left or any(set(_names(atoms)) & asked or _calls(atoms) for atoms in left):
        return None
    return written(upper)


def ndim_of(spot: Spot, node: ast.expr) -> int | None:
    """How many axes a value has, where that is known."""
    known = attribute(spot.value(node), "ndim", None)
    if known is None and (fact := spot.fact(node)) is not None and fact.sort in ("array", "host", "number"):
        known = fact.ndim
    return known if isinstance(known, int) and known >= 0 else None


def polynomial(spot: Spot, node: ast.expr) -> Polynomial | None:
    """`terms` of an expression of the code."""
    return terms(node, spot.code.operand)


def terms(
    node: ast.expr, text: Callable[[ast.expr], str], bound_to: Callable[[str], ast.expr | None] = lambda name: None
) -> Polynomial | None:
    """An expression of +, -, * as {atoms: number}; atoms are the texts of its other parts, in the place of names what they are
    bound to. None if it is none."""
    match node:
        case ast.Name(id=name) if (value := bound_to(name)) is not None:
            return terms(value, text, bound_to)
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return Counter({(): number})
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = terms(operand, text, bound_to)
            return Counter({atoms: -number for atoms, number in inner.items()}) if inner is not None else None
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() as op, right=right):
            a, b = terms(left, text, bound_to), terms(right, text, bound_to)
            if a is None or b is None:
                return None
            out: Polynomial = Counter()
            if isinstance(op, ast.Mult):
                for one, n in a.items():
                    for two, m in b.items():
                        out[tuple(sorted((*one, *two)))] += n * m
                return out
            out.update(a)
            (out.update if isinstance(op, ast.Add) else out.subtract)(b)
            return out
        case ast.Name() | ast.Attribute() | ast.Subscript() | ast.Call() | ast.BinOp():
            return Counter({(text(node),): 1})
    return None


def written(polynomial: Polynomial) -> str:
    """The source text of {atoms: number}, "" where nothing is left."""
    out = ""
    left = [(atoms, number) for atoms, number in polynomial.items() if number]
    for atoms, number in sorted(left, key=lambda item: (not item[0], item[1] < 0)):
        body = " * ".join(atoms)
        size = str(abs(number)) if not atoms else body if abs(number) == 1 else f"{abs(number)} * {body}"
        out += (" - " if out else "-") + size if number < 0 else (" + " if out else "") + size
    return out


def _names(atoms: tuple[str, ...]) -> list[str]:
    return [n.id for n in _nodes(atoms) if isinstance(n, ast.Name)]


def _calls(atoms: tuple[str, ...]) -> bool:
    return any(isinstance(n, ast.Call) and not _is_len(n) for n in _nodes(atoms))


def _is_len(node: ast.AST) -> bool:
    """`len(x)`, which is known of an array."""
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name()], keywords=[]):
            return True
    return False


def _nodes(atoms: tuple[str, ...]) -> Iterator[ast.AST]:
    return (n for atom in atoms for n in ast.walk(ast.parse(atom, mode="eval")))


def read_by_get(spot: Spot) -> Iterator[Step]:
    """`x.at[a:b].get()` → `x[a:b]`."""
    code = spot.code
    for node in itertools.islice(code.ancestors(spot.node), 3):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Subscript(value=ast.Attribute(value=array, attr="at"), slice=index), attr="get"),
                args=[],
                keywords=[],
            ):
                yield spot.step("[]", (node, f"{code.operand(array)}[{code.src(index)}]"))
                return


def sliced_by_call(spot: Spot) -> Iterator[Step]:
    """`lax.dynamic_slice_in_dim(x, i, n)` with a traced size → `x[start : start + n]`, where `start` is i as JAX moves it."""
    node, code = spot.node, spot.code
    if not isinstance(node, ast.Call) or type(spot.error).__name__ == "NonConcreteBooleanIndexError":
        return
    call = _as_cuts(node)
    if call is None or not _is_the_users(spot, call[2]):
        return
    array, starts, sizes = call
    unknown = [axis for axis, size in sizes.items() if traced(spot, size)]
    if len(unknown) != 1:
        return
    base, parts, lines = code.operand(array), {}, ""
    for axis, size in sizes.items():
        start = starts[axis]
        if isinstance(start, ast.Constant) and start.value == 0:
            parts[axis] = f":{code.operand(size)}"
        elif axis not in unknown:
            base = f"{spot.lax('dynamic_slice_in_dim')}({base}, {code.src(start)}, {code.src(size)}, axis={axis})"
        else:
            name, statement = code.fresh("start", "first"), code.statement(node)
            if not code.on_own_lines([statement]):
                return
            last = f"{code.operand(array)}.shape[{axis}] - {code.operand(size)}"
            lines = f"{code.indent(statement)}{name} = {spot.jnp('clip')}({code.src(start)}, 0, {last})\n"
            parts[axis] = f"{name} : {name} + {code.operand(size)}"
    index = ", ".join(parts.get(axis, ":") for axis in range(max(parts) + 1))
    edits: list[tuple[ast.AST | tuple[int, int], str]] = [(node, f"{base}[{index}]")]
    if lines:
        where = code.region([code.statement(node)])[0]
        edits.append(((where, where), lines))
    yield spot.step("[]", *edits, excludes=NEGATIVE)


def _is_the_users(spot: Spot, sizes: dict[int, ast.expr]) -> bool:
    """Whether the user wrote such a call. One that `window` wrote was `x[i : i + n]`, and would be that again, by turns."""
    own = (_as_cuts(node) for node in ast.walk(ast.parse(spot.unit.text)) if isinstance(node, ast.Call))
    wanted = {axis: ast.unparse(size) for axis, size in sizes.items()}
    return any(call is not None and {k: ast.unparse(size) for k, size in call[2].items()} == wanted for call in own)


def _as_cuts(node: ast.Call) -> tuple[ast.expr, dict[int, ast.expr], dict[int, ast.expr]] | None:
    """The array of a `dynamic_slice` or `dynamic_slice_in_dim`, and by axis where it starts and its sizes."""
    name = name_of(node)
    names = {
        "dynamic_slice_in_dim": ("operand", "start_index", "slice_size", "axis"),
        "dynamic_slice": ("operand", "start_indices", "slice_sizes"),
    }.get(name)
    if names is None:
        return None
    given = {**dict(zip(names, node.args, strict=False)), **{str(each.arg): each.value for each in node.keywords}}
    if not set(names[:3]) <= set(given) <= set(names):
        return None
    match [given[each] for each in names[1:3]], given.get("axis"):
        case [start, size], None if name == "dynamic_slice_in_dim":
            return given["operand"], {0: start}, {0: size}
        case [start, size], ast.Constant(value=int() as axis) if axis >= 0:
            return given["operand"], {axis: start}, {axis: size}
        case [ast.Tuple(elts=starts) | ast.List(elts=starts), ast.Tuple(elts=sizes) | ast.List(elts=sizes)], None if len(
            starts
        ) == len(sizes):
            return given["operand"], dict(enumerate(starts)), dict(enumerate(sizes))
    return None


def part_of_a_list(spot: Spot) -> Iterator[Step]:
    """`sum(DAYS[: month - 1])` of a list or tuple of numbers → `days = jnp.array(DAYS)` and `sum(days[: month - 1])`, which
    rules go on with; all of a statement."""
    code, statement = spot.code, spot.code.statement(spot.node)
    if cut_at(spot) is None or not _is_of_numbers(spot, spot.node):
        return
    own = (node for node in walk(statement) if isinstance(node, ast.Subscript) and code.statement(node) is statement)
    found = [node for node in own if _is_of_numbers(spot, node)]
    inside = (node for cut in found for node in itertools.takewhile(lambda at: at is not statement, code.ancestors(cut)))
    alone = not any(isinstance(node, (*SCOPES, *COMPREHENSIONS)) and node is not statement for node in inside)
    named: dict[str, str] = {}
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    for node in found:
        text, array = code.expr(node.value), spot.jnp("array")
        if alone and not code.is_elif(statement) and not isinstance(statement, ast.While) and code.on_own_lines([statement]):
            lower = text.lower() if isinstance(node.value, ast.Name) and text != text.lower() else "values"
            wanted = [each for each in (lower, "values", "numbers", "items") if each not in named.values()]
            named.setdefault(text, code.fresh(*wanted, *(f"values_{number}" for number in range(2, len(found) + 2))))
        made = code.parents[node] if _makes_an_array(spot, code.parents[node]) else node
        edits.append((made, f"{named.get(text, f'{array}({text})')}[{code.src(node.slice)}]"))
    start = code.region([statement])[0]
    lines = "".join(f"{code.indent(statement)}{name} = {spot.jnp('array')}({text})\n" for text, name in named.items())
    yield spot.step("array", *([((start, start), lines)] if lines else []), *edits)


def _makes_an_array(spot: Spot, node: ast.AST) -> bool:
    """`jnp.array(DAYS[:k])`, which an array cut alike is already."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="array" | "asarray"), args=[_], keywords=[]):
            return isinstance(spot.value(owner), types.ModuleType)
    return False


def _is_of_numbers(spot: Spot, node: ast.AST) -> bool:
    """Whether it is a part, cut by data, of a list whose items make an array, and is read as one answers it."""
    match node:
        case ast.Subscript(value=listed, slice=ast.Slice(lower=lower, upper=upper), ctx=ast.Load()):
            cut = any(traced(spot, bound) for bound in (lower, upper) if bound is not None)
        case _:
            return False
    held = _written_items(listed) if isinstance(listed, ast.List | ast.Tuple) else spot.held(listed)
    return cut and isinstance(held, list | tuple) and _make_an_array(held) and _is_read_as_numbers(spot, node)


def _written_items(node: ast.List | ast.Tuple) -> list[object]:
    """The items of a list that is written where it is used; None in the place of what is computed."""
    return [each.value if isinstance(each, ast.Constant) else None for each in node.elts]


def _make_an_array(held: Sequence[Any]) -> bool:
    """Whether an array holds all that a list does, and its sum as well: Python's whole numbers have no largest."""
    whole = [each for each in held if isinstance(each, int)]
    kinds = bool | int | float | complex | np.generic | np.ndarray | jax.Array
    largest = np.iinfo(jax.dtypes.canonicalize_dtype(int)).max
    alike = all(isinstance(each, kinds) for each in held) and len({np.shape(each) for each in held}) == 1
    return alike and sum(map(abs, whole)) <= largest


_ASKED_AS_A_WHOLE = ("sum", "max", "min", "len", "sorted", "any", "all", "enumerate", "zip", "reversed")


def _is_read_as_numbers(spot: Spot, node: ast.expr) -> bool:
    """Whether of a part of a list is asked what an array answers alike, as it does not for `part * 2` and `part + other`."""
    code, parent = spot.code, spot.code.parents[node]
    match parent:
        case ast.Call(func=ast.Name(id=name)) if name in _ASKED_AS_A_WHOLE and spot.is_builtin(name):
            return True
        case ast.Call(func=ast.Attribute(value=owner)) if node in parent.args:
            return isinstance(spot.value(owner), types.ModuleType)
        case ast.For(iter=over) | ast.comprehension(iter=over):
            return over is node
        case ast.Subscript(value=value, ctx=ast.Load()):
            return value is node
        case ast.Assign(targets=[ast.Name(id=name)]) if isinstance(spot.function, ast.FunctionDef):
            named = [each for each in walk(spot.function) if isinstance(each, ast.Name) and each.id == name]
            uses = [each for each in named if isinstance(each.ctx, ast.Load)]
            once = len(named) == len(uses) + 1
            return (
                once
                and not any(isinstance(code.parents[use], ast.Assign) for use in uses)
                and all(_is_read_as_numbers(spot, use) for use in uses)
            )
    return False


def window(spot: Spot) -> Iterator[Step]:
    """`x[i : i + k]` → `lax.dynamic_slice_in_dim(x, i, k)`."""
    cut = cut_at(spot)
    if cut is None or cut.updates or cut.upper is None:
        return
    node, code = spot.node, spot.code
    assert isinstance(node, ast.Subscript)
    length = known_length(spot, cut)
    if length is None or not isinstance(node.ctx, ast.Load):
        return
    start = code.src(cut.lower) if cut.lower is not None else "0"
    axis = f", axis={cut.axis}" if cut.axis else ""
    text = f"{spot.lax('dynamic_slice_in_dim')}({code.src(node.value)}, {start}, {length}{axis})"
    if not cut.alone:
        assert isinstance(node.slice, ast.Tuple)
        if any(not isinstance(part, ast.Slice) for part in node.slice.elts[: cut.axis]):
            return  # an index before it takes its axis away
        text += "[" + ", ".join(":" if k == cut.axis else code.src(p) for k, p in enumerate(node.slice.elts)) + "]"
    alike = cut.alone and _meets_its_like(spot, node)
    yield spot.step("dynamic_slice", (node, text), excludes=PAST_THE_END | (ONE_FOR_ALL if alike else {}))


def _meets_its_like(spot: Spot, node: ast.expr) -> bool:
    """Whether a window, by its name too, is computed with another array that is as long, as in `x[i : i + len(v)] * v`: a
    shorter one fails there in plain Python, all but one of a single element, which would stand for all."""
    parent, own = spot.code.parents[node], spot.fact(node)
    match parent:
        case ast.BinOp(left=left, right=right):
            beside = right if left is node else left
            other = spot.fact(beside)
            alike = own is not None and other is not None and other.ndim == own.ndim == 1 and other.length == own.length
            return alike and _is_no_window(spot, beside)
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node and spot.function is not None:
            named = [each for each in walk(spot.function) if isinstance(each, ast.Name) and each.id == name]
            uses = [each for each in named if isinstance(each.ctx, ast.Load)]
            return len(uses) == len(named) - 1 and bool(uses) and all(_meets_its_like(spot, use) for use in uses)
    return False


def _is_no_window(spot: Spot, node: ast.expr) -> bool:
    """Whether an expression is cut from nothing, by the names that it is made of, too: of two windows both grow shorter."""
    if any(isinstance(part, ast.Slice) or "slice" in getattr(part, "attr", "") for part in ast.walk(node)):
        return False
    if any(isinstance(part, ast.Call) and not _is_of_a_library(spot, part) for part in ast.walk(node)):
        return False
    function = spot.function
    if next(iter(spot.callers()), None) is not None:
        return False  # a caller may have cut what it gives
    own = set(stored(function.body)) if isinstance(function, ast.FunctionDef) else set()
    for name in loaded([node]) & own:
        made = bound_once(function, name) if isinstance(function, ast.FunctionDef) else None
        if made is None or name in loaded([made]) or not _is_no_window(spot, made):
            return False
    return True


def _is_of_a_library(spot: Spot, call: ast.Call) -> bool:
    if isinstance(call.func, ast.Attribute):
        return isinstance(spot.value(call.func.value), types.ModuleType) or call.func.attr in (
            "astype",
            "ravel",
            "reshape",
            "copy",
        )
    return isinstance(call.func, ast.Name) and spot.is_builtin(call.func.id)


def backwards(spot: Spot) -> Iterator[Step]:
    """`x[a:b:-1]` → `x[b + 1 : a + 1][::-1]`, a slice that goes forwards."""
    cut = cut_at(spot)
    node, code = spot.node, spot.code
    if cut is None or cut.updates or not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Slice):
        return
    if node.slice.step is None or code.src(node.slice.step) != "-1" or not isinstance(node.ctx, ast.Load):
        return
    low, high = (f"{code.operand(bound)} + 1" if bound is not None else "" for bound in (cut.upper, cut.lower))
    between = f"{low} : {high}" if low and high else f"{low}:{high}"
    yield spot.step("[::-1]", (node, f"{code.operand(node.value)}[{between}][::-1]"), excludes=NEGATIVE)


def counted_window(spot: Spot) -> Iterator[Step]:
    """`jnp.arange(i - 1, i + 2)` → `i - 1 + jnp.arange(3)`."""
    node, code = spot.node, spot.code
    if not isinstance(node, ast.Call) or len(node.args) != 2 or node.keywords or not code.src(node.func).endswith("arange"):
        return
    length = length_between(spot, node.args[0], node.args[1], lambda name: traced(spot, name))
    if length is not None:
        text = f"{code.src(node.args[0])} + {code.src(node.func)}({length})"
        inside = isinstance(code.parents[node], ast.BinOp | ast.UnaryOp | ast.Compare | ast.Attribute | ast.Subscript)
        yield spot.step("arange", (node, f"({text})" if inside else text))


def as_long_as_a_slice(spot: Spot) -> Iterator[Step]:
    """`jnp.arange(n)` beside `x[:n]` → `jnp.arange(len(x[:n]))`, whose length the walk knows to be at most that of x."""
    nodes = list(walk(spot.function or spot.code.tree))
    asked = _size_of(spot.node) or _end_of(spot.node)
    if asked is None or not traced(spot, asked):
        return
    cut = [node.value for node in nodes if isinstance(node, ast.Subscript) and (end := _end_of(node)) and end.id == asked.id]
    name = next((array.id for array in cut if isinstance(array, ast.Name) and array.id in spot.locals), "")
    sizes = [size for node in nodes if (size := _size_of(node)) is not None and size.id == asked.id]
    if name and sizes:
        excludes = {BEYOND: f"{asked.id} above the length of {name}"}
        yield spot.step("len", *((size, f"len({name}[:{asked.id}])") for size in sizes), excludes=excludes)


def _size_of(node: ast.AST) -> ast.Name | None:
    """The name of the length with which an array is made."""
    match node:
        case (
            ast.Call(func=ast.Attribute(attr="arange" | "zeros" | "ones"), args=[ast.Name() as size])
            | ast.Call(func=ast.Attribute(attr="full"), args=[ast.Name() as size, _])
            | ast.Call(func=ast.Attribute(attr="linspace"), args=[_, _, ast.Name() as size])
        ):
            return size
    return None


def _end_of(node: ast.AST) -> ast.Name | None:
    """The name at the end of a slice of the first axis that begins with it."""
    match node:
        case ast.Subscript(
            slice=ast.Slice(lower=None, upper=ast.Name() as end, step=None)
            | ast.Tuple(elts=[ast.Slice(lower=None, upper=ast.Name() as end, step=None), *_])
        ):
            return end
    return None


NEGATIVE = {"negative int": "a negative bound, which counts from the end in Python"}
PAST_THE_END = {**NEGATIVE, "another shape": "a window past the end, which Python makes shorter"}
SPELLED: list[Rule] = [read_by_get, sliced_by_call, as_long_as_a_slice, part_of_a_list]
WINDOWS: list[Rule] = [window, backwards, counted_window]
ONE_FOR_ALL = {"end": "a window past the end, of which Python takes the one element that is left for all"}
