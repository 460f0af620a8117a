"""`x[i : i + k]` with a traced start and a known length → `lax.dynamic_slice_in_dim`; its updates → `.at[i + arange(k)]`."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import jax

from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.operations import SET_BY_WHERE
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step

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
        if isinstance(part, ast.Slice) and any(_traced(spot, bound) for bound in (part.lower, part.upper) if bound is not None):
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


def _traced(spot: Spot, node: ast.expr) -> bool:
    """Whether a traced variable, or a value that is not known here, stands in an expression."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            return True
        if isinstance(part, ast.Name) and isinstance(spot.value(part), jax.core.Tracer):
            return not _only_its_shape(spot, part)
    return False


def _only_its_shape(spot: Spot, name: ast.Name) -> bool:
    parent = spot.code.parents.get(name)
    return isinstance(parent, ast.Attribute) and parent.attr in ("shape", "ndim", "size")


def known_length(spot: Spot, cut: Cut) -> str | None:
    """The text of `upper - lower` where the traced parts cancel, as "5" for `x[i - 2 : i + 3]`."""
    if cut.upper is None or cut.step:
        return None
    return length_between(spot, cut.lower, cut.upper, lambda name: _traced(spot, name))


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
    traced = {name.id for name in parts if isinstance(name, ast.Name) and traced_one(name)}
    if any(set(_names(atoms)) & traced or "(" in "".join(atoms) for atoms in left) or not left:
        return None
    return written(upper)


def polynomial(spot: Spot, node: ast.expr) -> Polynomial | None:
    """`terms` of an expression of the code."""
    return terms(node, spot.code.operand)


def terms(node: ast.expr, text: Callable[[ast.expr], str]) -> Polynomial | None:
    """An expression of +, -, * as {atoms: number}; atoms are the texts of its other parts. None if it is none."""
    match node:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return Counter({(): number})
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = terms(operand, text)
            return Counter({atoms: -number for atoms, number in inner.items()}) if inner is not None else None
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() as op, right=right):
            a, b = terms(left, text), terms(right, text)
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
    return [n.id for atom in atoms for n in ast.walk(ast.parse(atom, mode="eval")) if isinstance(n, ast.Name)]


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
    yield spot.step("dynamic_slice", (node, text), excludes=PAST_THE_END)


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
    length = length_between(spot, node.args[0], node.args[1], lambda name: _traced(spot, name))
    if length is not None:
        text = f"{code.src(node.args[0])} + {code.src(node.func)}({length})"
        inside = isinstance(code.parents[node], ast.BinOp | ast.UnaryOp | ast.Compare | ast.Attribute | ast.Subscript)
        yield spot.step("arange", (node, f"({text})" if inside else text))


def window_update(spot: Spot) -> Iterator[Step]:
    """`x.at[i : i + k].set(v)` → `x.at[i + jnp.arange(k)].set(v)`; `x.at[:n].set(v)` → `jnp.where(jnp.arange(…) < n, v, x)`."""
    cut = cut_at(spot)
    if cut is None or not cut.updates or cut.step:
        return
    node, code = subscript(spot), spot.code
    assert node is not None and isinstance(node.value, ast.Attribute)
    length = known_length(spot, cut)
    start = code.operand(cut.lower) if cut.lower is not None else "0"
    if length is not None:
        places = f"{start} + {spot.jnp('arange')}({length})"
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        index = ", ".join(places if k == cut.axis else code.src(part) for k, part in enumerate(parts))
        yield spot.step("dynamic_slice", (node, f"{code.src(node.value)}[{index}]"), excludes=PAST_THE_END)
        return
    call = code.parents.get(code.parents[node])
    method = code.parents[node]
    if (
        not isinstance(call, ast.Call)
        or not isinstance(method, ast.Attribute)
        or method.attr not in SET_BY_WHERE
        or len(call.args) != 1
        or not cut.alone
        or cut.axis
    ):
        return
    array, value = code.operand(node.value.value), code.src(call.args[0])
    places = f"{spot.jnp('arange')}({array}.shape[0])"
    tests = [f"{places} >= {code.operand(cut.lower)}"] if cut.lower is not None else []
    tests += [f"{places} < {code.operand(cut.upper)}"] if cut.upper is not None else []
    test = tests[0] if len(tests) == 1 else " & ".join(f"({t})" for t in tests)
    if getattr(spot.value(node.value.value), "ndim", 1) > 1:
        test = f"({test})[:, None]"
    new = SET_BY_WHERE[method.attr].format(x=array, v=value)
    yield spot.step("where", (call, f"{spot.jnp('where')}({test}, {new}, {array})"), excludes=NEGATIVE)


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
    # what is selected by the same mask needs no selection
    same = {
        n: code.operand(n.value)
        for n in ast.walk(call.args[0])
        if isinstance(n, ast.Subscript) and ast.dump(n.slice) == ast.dump(node.slice)
    }
    start, end = code.span(call.args[0])
    value = code.edited(start, end, [(*code.span(n), text) for n, text in same.items()])
    text = f"{spot.jnp('where')}({mask}, {SET_BY_WHERE[method.attr].format(x=array, v=value)}, {array})"
    risky = not harmless([call.args[0]])
    yield spot.step("where", (call, text), risky=risky)
    yield spot.step("where", (call, f"{text}.astype({array}.dtype)"), risky=risky)


NEGATIVE = {"negative int": "a negative bound, which counts from the end in Python"}
PAST_THE_END = {**NEGATIVE, "another shape": "a window past the end, which Python makes shorter"}
UPDATES: list[Rule] = [window_update, masked_update]
WINDOWS: list[Rule] = [window, backwards, counted_window]
