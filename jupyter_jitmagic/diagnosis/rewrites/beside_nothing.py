"""A choice between what is made of a selection and an array of nothing: `jnp.stack(out) if out else jnp.zeros(0)`.

Both are as long as the selection is, and so is what stands for them: there is nothing to choose.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from jupyter_jitmagic.diagnosis.rewrites.cutting import is_own_count
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.tracking import words_of
from jupyter_jitmagic.source.names import loaded, stored, walk

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites.flow import Flow
    from jupyter_jitmagic.diagnosis.rewrites.tracking import Tracking
    from jupyter_jitmagic.source.code import Code

_Side = TypeVar("_Side")


@dataclass(frozen=True)
class Emptied:
    """`if not out: return jnp.zeros(0)`: what is returned behind it is as long as `out` is there, along as many axes.

    Attributes:
        choice: the statement.
        length: what it asks for.
        axes: of each array that it returns.
    """

    choice: ast.If
    length: _Length
    axes: tuple[int, ...]


@dataclass(frozen=True)
class _Length:
    """What a test asks about, as it is there: its name may stand for another list by the time that something is returned.

    Attributes:
        held: the selection that a list or a length is of, if it is known.
        counted: how many it has, as text.
        mask: what its mask is called otherwise, as a pattern.
        reads: the names by which these texts mean what they do.
    """

    held: Ragged | None
    counted: str
    mask: str
    reads: set[str]


def either_side(flow: Tracking, node: ast.IfExp) -> Ragged | None:
    """What is made of a selection, where the other side of a choice is an array of nothing; None where it is no such choice."""
    length, some, none = _by_what_there_is(node.test, node.body, node.orelse)
    axes = axes_of_nothing(flow.spot, none)
    if not axes:
        return None
    before = flow.state.copy()
    found = flow.visit(some)
    if found is None or not _is_as_long(flow, found, _length(flow, length), axes):
        flow.state = before
        return None
    flow.replace(node, flow.text(some))
    return found


def in_a_statement(flow: Tracking, node: ast.If) -> tuple[str, ast.expr, Ragged] | None:
    """(name, its value, what that is) of `if out: a = jnp.stack(out)` with `else: a = jnp.zeros(0)`, or with that before it."""
    code = flow.code
    before: list[ast.stmt] = []
    match node.body, node.orelse:
        case [ast.Assign(targets=[ast.Name(id=name)], value=one)], [ast.Assign(targets=[ast.Name(id=other)], value=two)]:
            pass
        case [ast.Assign(targets=[ast.Name(id=name)], value=one)], []:
            before = _bound_before(code, node, name)
            match before:
                case [ast.Assign(targets=[ast.Name(id=other)], value=two)]:
                    pass
                case _:
                    return None
        case _:
            return None
    length, some, none = _by_what_there_is(node.test, one, two)
    axes = axes_of_nothing(flow.spot, none) if name == other and (node.orelse or none is two) else 0
    if not axes or code.is_elif(node) or not code.on_own_lines([*before, node]):
        return None
    kept = flow.state.copy()
    found = flow.visit(some)
    if found is None or not _is_as_long(flow, found, _length(flow, length), axes):
        flow.state = kept
        return None
    line = f"{code.indent(node)}{name} = {flow.text(some)}\n"
    for each, text in ((node, line), *((each, "") for each in before)):
        start, end = code.region([each])
        flow.state.edits = [edit for edit in flow.state.edits if not (start <= edit[0] and edit[1] <= end)]
        flow.state.edits.append((start, end, text))
    return name, some, found


def _bound_before(code: Code, node: ast.stmt, name: str) -> list[ast.stmt]:
    """The statement of its block that binds a name before it, where nothing in between has the name."""
    block = code.block(node)
    for each in reversed(block[: block.index(node)]):
        if any(isinstance(part, ast.Name) and part.id == name for part in walk(each)):
            return [each]
    return []


def returned_early(flow: Flow, node: ast.If) -> Emptied | None:
    """`if not out: return jnp.zeros(0)` in the function's own block."""
    function = flow.spot.function
    match node:
        case ast.If(test=test, body=[ast.Return(value=ast.expr() as value)], orelse=[]) if (
            isinstance(function, ast.FunctionDef) and node in function.body and flow.code.on_own_lines([node])
        ):
            length, some, _ = _by_what_there_is(test, value, None)
        case _:
            return None
    axes, asked = tuple(axes_of_nothing(flow.spot, part) for part in parts_of(value)), _length(flow, length)
    behind = function.body[function.body.index(node) + 1 :]
    if some is not None or not all(axes) or not (asked.held or asked.mask) or asked.reads & {*stored(behind)}:
        return None
    flow.state.edits.append((*flow.code.region([node]), ""))
    return Emptied(node, asked, axes)


def returned_once(spot: Spot) -> Iterator[Step]:
    """In a helper `if not out: return jnp.zeros(0)`, `return jnp.stack(out)` → one return, so that its lines can stand in the
    place of its call."""
    code, function = spot.code, spot.function
    if spot.entry or not isinstance(function, ast.FunctionDef):
        return
    match function.body:
        case [*_, ast.Return(value=ast.expr() as last) as end]:
            pass
        case _:
            return
    for place, node in enumerate(function.body):
        match node:
            case ast.If(test=test, body=[ast.Return(value=ast.expr() as none)], orelse=[]) if axes_of_nothing(spot, none):
                between = function.body[place + 1 : -1]
                _, some, _ = _by_what_there_is(test, none, None)
            case _:
                continue
        plain = all(isinstance(each, ast.Assign) for each in between) and not set(stored(between)) & loaded([test])
        given = {each.arg for each in walk(function.args) if isinstance(each, ast.arg)}
        if some is None and plain and loaded([test]) - given and code.on_own_lines([node, end]):
            choice = f"{code.expr(none)} if {code.expr(test)} else {code.expr(last)}"
            yield spot.step("return", (code.region([node]), ""), (last, choice))
        return


def is_kept(flow: Flow, emptied: Emptied, value: ast.expr) -> bool:
    """Whether what is returned is as long as what was asked for, each part of it."""
    parts = parts_of(value)
    found = [flow.visit(part) for part in parts]
    return len(parts) == len(emptied.axes) and all(
        each is not None and _is_as_long(flow, each, emptied.length, axes)
        for each, axes in zip(found, emptied.axes, strict=True)
    )


def parts_of(value: ast.expr) -> list[ast.expr]:
    return list(value.elts) if isinstance(value, ast.Tuple) else [value]


def axes_of_nothing(spot: Spot, node: ast.expr) -> int:
    """How many axes an array has that is written as one of no rows: `jnp.zeros(0)`, `jnp.array([])`, `x[:0]`; 0 for others."""
    match node:
        case ast.Call(func=ast.Attribute(attr="zeros" | "ones" | "empty" | "full", value=owner), args=[shape, *_]) if is_module(
            spot, owner
        ):
            sizes = shape.elts if isinstance(shape, ast.Tuple | ast.List) else [shape]
            return len(sizes) if sizes and _is_number(sizes[0], 0) else 0
        case ast.Call(func=ast.Attribute(attr="array" | "asarray", value=owner), args=[ast.List(elts=[]), *_]) if is_module(
            spot, owner
        ):
            return 1
        case ast.Subscript(value=array, slice=ast.Slice(lower=None, upper=ast.Constant() as upper, step=None)) if _is_number(
            upper, 0
        ):
            fact = spot.fact(array)
            return max(fact.ndim, 0) if fact is not None and fact.sort == "array" else 0
    return 0


def _by_what_there_is(test: ast.expr, one: _Side, two: _Side) -> tuple[ast.expr, _Side, _Side]:
    """(the list or length that a test asks about, the side for some, the side for none)."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            length, one, two = _by_what_there_is(inner, one, two)
            return length, two, one
        case ast.Call(func=ast.Attribute(attr="logical_not"), args=[inner], keywords=[]):
            length, one, two = _by_what_there_is(inner, one, two)
            return length, two, one
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            if _is_number(left, 0) and isinstance(op, ast.Lt):
                return right, one, two
            some = (ast.Gt, 0), (ast.NotEq, 0), (ast.GtE, 1)
            none = (ast.Eq, 0), (ast.LtE, 0), (ast.Lt, 1)
            if any(isinstance(op, kind) and _is_number(right, number) for kind, number in some):
                return left, one, two
            if any(isinstance(op, kind) and _is_number(right, number) for kind, number in none):
                return left, two, one
    return test, one, two


def _is_number(node: ast.expr, number: int) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value == number


def _held(flow: Tracking, length: ast.expr) -> Ragged | None:
    """The selection that a list or a length is of."""
    if isinstance(length, ast.Name) and (listed := flow.state.names.get(length.id)) is not None:
        return listed if listed.listed else None  # an array's truth is that of its one element
    return flow.count_of(length)


def _length(flow: Tracking, length: ast.expr) -> _Length:
    if (held := _held(flow, length)) is not None:
        return _Length(held, flow.counted(held), "", words_of(held.mask))
    return _Length(None, "", _mask_of(flow, length), loaded([length]))


def _is_as_long(flow: Tracking, found: Ragged, length: _Length, axes: int) -> bool:
    """Whether plain Python's value is as long as what a test asks about, along the first of so many axes."""
    if found.axis or found.flat or found.group or found.grid or found.times or found.ndim != axes:
        return False
    if length.held is not None:
        return length.held.mask == found.mask or length.counted == flow.counted(found)
    made = next((text for text, name in flow.state.masks.items() if name == found.mask), found.mask)
    return re.fullmatch(length.mask or "-", made) is not None


def _mask_of(flow: Tracking, length: ast.expr) -> str:
    """What the mask of a list is called, as a pattern, where other rules made it an array (of which they count what is in it)
    or noted beside each item whether it is kept; "" where they did not."""
    match length:
        case ast.Name(id=name) if is_own_count(flow.spot, length):
            return re.escape(f"{flow.jnp('arange')}(") + rf"\w+\.shape\[0\]\) < {name}"
        case ast.Call(func=ast.Name(id="sum"), args=[ast.Name(id=flags)], keywords=[]):
            return re.escape(f"{flow.jnp('array')}({flags}, bool)")
        case ast.Call(func=ast.Attribute(attr="any", value=owner), args=[mask], keywords=[]) if is_module(flow.spot, owner):
            return re.escape(flow.code.src(mask))
    return ""


RULES: list[Rule] = [returned_once]
