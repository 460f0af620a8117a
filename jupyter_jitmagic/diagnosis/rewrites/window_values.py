"""What is computed for each place of a window: `steps = jnp.arange(1, j - i + 1)`, `x.at[i:j].set(a * steps)`.

Such an array has as many elements as the window that it is put into, which is data. Counted from where the window begins it may
have all places of the array, as only those inside are set, which `slice_updates` writes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from jupyter_jitmagic.diagnosis.rewrites.operations import SET_BY_WHERE, called, is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.selection import owner_of
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE, Polynomial, ndim_of, polynomial, traced, written
from jupyter_jitmagic.source.names import name_of


class _Window(NamedTuple):
    """`x.at[lower:upper].set(…)`, or `x[lower:upper] = …`."""

    array: ast.expr
    lower: ast.expr | None
    upper: ast.expr


def counted_in_a_window(spot: Spot) -> Iterator[Step]:
    """`jnp.arange(1, j - i + 1)` that is put into `x.at[i:j]` → `jnp.arange(x.shape[0]) - i + 1`; `jnp.linspace(a, b, j - i)`
    likewise."""
    node, code = spot.node, spot.code
    if not isinstance(node, ast.Call) or node.keywords or not is_module(spot, owner_of(node)):
        return
    name, statement = name_of(node), code.statement(node)
    match name, node.args:
        case "arange", [count]:
            begin, length = "", polynomial(spot, count)
        case "arange", [start, stop]:
            begin, length = code.operand(start), _difference(spot, stop, start)
        case "linspace", [_, _, count]:
            begin, length = "", polynomial(spot, count)
        case _:
            return
    window = _into(spot, node, statement)
    if window is None or length is None:
        return
    wide = _difference(spot, window.upper, window.lower)
    if ndim_of(spot, window.array) != 1 or wide is None or written(wide) != written(length):
        return
    places = f"{spot.jnp('arange')}({code.operand(window.array)}.shape[0])"
    place = places if window.lower is None else f"{places} - {code.operand(window.lower)}"
    if name == "linspace":
        text = _from_to(spot, node.args[0], node.args[1], f"({place}) / {spot.jnp('maximum')}({_less_one(length)}, 1)")
    else:
        text = place if begin in ("", "0") else f"{place} + {begin}"
    alone = isinstance(code.parents[node], ast.Assign | ast.Call)
    yield spot.step("where", (node, text if alone else f"({text})"), excludes=NEGATIVE)


def _from_to(spot: Spot, first: ast.expr, last: ast.expr, share: str) -> str:
    """The number so far on the way from the one to the other."""
    begin, end = spot.code.operand(first), spot.code.operand(last)
    match first, last:
        case ast.Constant(value=0), ast.Constant(value=1):
            return share
        case ast.Constant(value=0), _:
            return f"{end} * {share}"
    return f"{begin} + ({end} - {begin}) * {share}"


def _difference(spot: Spot, upper: ast.expr, lower: ast.expr | None) -> Polynomial | None:
    high, low = polynomial(spot, upper), polynomial(spot, lower) if lower is not None else Polynomial()
    if high is None or low is None:
        return None
    high.subtract(low)
    return high


def _less_one(length: Polynomial) -> str:
    less = Polynomial(length)
    less[()] -= 1
    return written(less) or "0"


def _into(spot: Spot, node: ast.Call, statement: ast.stmt) -> _Window | None:
    """The window that takes what is computed of it element by element, where it stands or by a name that nothing else reads."""
    code = spot.code
    if (window := _around(spot, node)) is not None:
        return window
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _by_elements(spot, node, value):
            function = code.function(statement)  # a branch may be one of its own by now
            if not isinstance(function, ast.FunctionDef):
                return None
            names = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
            reads = [n for n in names if isinstance(n.ctx, ast.Load)]
            behind = code.block(statement)[code.block(statement).index(statement) + 1 :]
            within = {id(part) for each in behind for part in ast.walk(each)}
            windows = [_around(spot, read) for read in reads if id(read) in within]
            if len(names) == len(reads) + 1 and len(windows) == len(reads) == 1:
                return windows[0]
    return None


def _around(spot: Spot, node: ast.expr) -> _Window | None:
    """The window into which an expression is put, with what is computed of it."""
    code = spot.code
    for at in code.ancestors(node):
        match at:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Subscript(value=ast.Attribute(value=array, attr="at"), slice=ast.Slice() as cut), attr=method
                ),
                args=[value],
                keywords=[],
            ) if method in SET_BY_WHERE:
                pass
            case ast.Assign(targets=[ast.Subscript(value=array, slice=ast.Slice() as cut)], value=value):
                pass
            case ast.stmt():
                return None
            case _:
                continue
        if cut.step is not None or cut.upper is None or not _by_elements(spot, node, value):
            return None
        asks = any(traced(spot, each) for each in (cut.lower, cut.upper) if each is not None)
        return _Window(array, cut.lower, cut.upper) if asks else None
    return None


def _by_elements(spot: Spot, node: ast.expr, whole: ast.expr) -> bool:
    """Whether an expression is computed of a part of it element by element, beside numbers."""
    at: ast.AST = node
    while at is not whole:
        above = spot.code.parents[at]
        match above:
            case ast.BinOp(left=left, right=right):
                beside = [left, right]
            case ast.UnaryOp(operand=operand):
                beside = [operand]
            case ast.Call() as call if (known := called(spot, call)) is not None and not call.keywords:
                if known.operation.sort != "elementwise":
                    return False
                beside = known.arguments
            case _:
                return False
        if not all(each is at or _is_a_number(spot, each) for each in beside):
            return False
        at = above
    return True


def _is_a_number(spot: Spot, node: ast.expr) -> bool:
    match node:
        case ast.BinOp(left=left, right=right):
            return _is_a_number(spot, left) and _is_a_number(spot, right)
        case ast.UnaryOp(operand=operand):
            return _is_a_number(spot, operand)
    return isinstance(node, ast.Constant) or type(spot.value(node)) in (int, float) or ndim_of(spot, node) == 0


class _Box(NamedTuple):
    """What is set of an array, from the first place on along some axes, and what it is set to."""

    array: ast.expr
    ends: dict[int, ast.expr]
    """By axis; the others have a place alone."""
    value: ast.expr


def made_for_a_box(spot: Spot) -> Iterator[Step]:
    """`mask[b, :n, :n] = np.tril(np.ones((n, n)))` → `… = np.tril(np.ones((mask.shape[1], mask.shape[2])))`: what such arrays
    hold at the first places does not depend on how many there are, and `slice_updates` sets no others."""
    code = spot.code
    box = next((found for at in code.ancestors(spot.node) if (found := _box(spot, at)) is not None), None)
    if box is None or spot.node not in set(ast.walk(box.value)) or not any(traced(spot, end) for end in box.ends.values()):
        return
    edits = _of_all_places(spot, box, box.value)
    if edits:
        yield spot.step("where", *edits, excludes=NEGATIVE)


def _box(spot: Spot, node: ast.AST) -> _Box | None:
    match node:
        case ast.Assign(targets=[ast.Subscript(value=array, slice=place)], value=value):
            pass
        case ast.Call(
            func=ast.Attribute(value=ast.Subscript(value=ast.Attribute(attr="at", value=array), slice=place), attr=method),
            args=[value],
            keywords=[],
        ) if method in SET_BY_WHERE:
            pass
        case _:
            return None
    ends: dict[int, ast.expr] = {}
    for axis, part in enumerate(place.elts if isinstance(place, ast.Tuple) else [place]):
        match part:
            case ast.Slice(lower=None | ast.Constant(value=0), upper=ast.expr() as end, step=None):
                ends[axis] = end
            case ast.Slice():
                return None
            case _ if ndim_of(spot, part) != 0:
                return None
    return _Box(array, ends, value) if ends else None


def _of_all_places(spot: Spot, box: _Box, node: ast.expr) -> list[tuple[ast.AST | tuple[int, int], str]]:
    """The edits that make an array of the box's size one of the array's; none where it is another one."""
    if not isinstance(node, ast.Call) or not is_module(spot, owner_of(node)):
        beside: list[ast.expr] = []
        match node:
            case ast.BinOp(left=left, op=op, right=right) if not isinstance(op, ast.MatMult):
                beside = [left, right]
            case ast.UnaryOp(operand=operand):
                beside = [operand]
        made = [each for each in beside if not _is_a_number(spot, each)]
        edits = [_of_all_places(spot, box, each) for each in made]
        return [edit for each in edits for edit in each] if all(edits) else []
    if {each.arg for each in node.keywords} - {"dtype", "fill_value", "k"}:
        return []
    filled: list[ast.expr] = []
    match name_of(node), node.args:
        case "tril" | "triu", [inner, *_]:
            return _of_all_places(spot, box, inner)
        case "eye" | "tri", [size] if [spot.code.src(end) for end in box.ends.values()] == [spot.code.src(size)] * 2:
            return [(size, ", ".join(_size(spot, box, axis) for axis in box.ends))]
        case "arange", [size]:
            sizes = [size]
        case "ones" | "zeros" | "full", [ast.Tuple(elts=sizes) | ast.List(elts=sizes), *filled]:
            pass
        case "ones" | "zeros" | "full", [size, *filled]:
            sizes = [size]
        case _:
            return []
    filled += [each.value for each in node.keywords if each.arg == "fill_value"]
    if len(sizes) > len(box.ends) or (name_of(node) == "full" and not all(_is_a_number(spot, each) for each in filled[:1])):
        return []  # a row that fills it has as many elements as the box
    axes = list(box.ends)[len(box.ends) - len(sizes) :]
    if any(spot.code.src(size) != spot.code.src(box.ends[axis]) for size, axis in zip(sizes, axes, strict=True)):
        return []
    return [(size, _size(spot, box, axis)) for size, axis in zip(sizes, axes, strict=True)]


def _size(spot: Spot, box: _Box, axis: int) -> str:
    return f"{spot.code.operand(box.array)}.shape[{axis}]"


RULES: list[Rule] = [counted_in_a_window, made_for_a_box]
