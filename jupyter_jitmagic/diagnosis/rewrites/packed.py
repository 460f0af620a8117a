"""Selections that a loop or a comprehension makes, one after the other, and that are joined.

`jnp.concatenate([x[x > 0] for x in xs])` → `jnp.concatenate(xs)[jnp.concatenate([x > 0 for x in xs])]`: one selection, which
other rules follow.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE, is_read_as_it_is, traced
from jupyter_jitmagic.source.names import walk

_Edits = list[tuple[ast.AST | tuple[int, int], str]]


@dataclass(frozen=True)
class _Part:
    """What is selected in one round.

    Attributes:
        node: the selection.
        array, mask: the source texts of what it is selected from, and of which of its elements are.
        is_cut: it is a slice.
    """

    node: ast.Subscript
    array: str
    mask: str
    is_cut: bool


def in_one_comprehension(spot: Spot) -> Iterator[Step]:
    """`jnp.concatenate([x[x > 0] for x in xs])`."""
    code, part = spot.code, _part(spot)
    if part is None:
        return
    made = code.parents[part.node]
    call = code.parents[made]
    if not isinstance(made, ast.ListComp) or part.node is not made.elt or not isinstance(call, ast.Call):
        return
    if not _joins(spot, call, made):
        return
    arrays, masks = (_with_element(spot, made, text) for text in (part.array, part.mask))
    match made.generators:
        case [ast.comprehension(target=ast.Name(id=each), iter=ast.Name(id=rows), ifs=[])] if each == part.array:
            arrays = rows
    yield _step(spot, part, (call, f"{_joined(spot, call, made, arrays)}[{spot.jnp('concatenate')}({masks})]"))


def in_a_list(spot: Spot) -> Iterator[Step]:
    """`parts.append(x[x > 0])`, later `jnp.concatenate(parts)`: the masks are appended to a list of their own."""
    code, part = spot.code, _part(spot)
    appended = _appended(code.statement(spot.node))
    if part is None or appended is None or appended[1] is not part.node:
        return
    name, statement = appended[0], code.statement(part.node)
    made = _made_once(spot, name)
    if made is None or not _is_empty_list(made) or not code.on_own_lines([made, statement]):
        return
    kept = code.fresh(f"{name}_kept", f"{name}_chosen")
    below = code.region([made])[1], code.region([statement])[1]
    edits: _Edits = [
        ((below[0], below[0]), f"{code.indent(made)}{kept} = []\n"),
        (part.node, part.array),
        ((below[1], below[1]), f"{code.indent(statement)}{kept}.append({part.mask})\n"),
    ]
    joined = _joined_later(spot, name, kept, {made, statement})
    if joined:
        yield _step(spot, part, *edits, *joined)


def in_a_named_comprehension(spot: Spot) -> Iterator[Step]:
    """`parts = [x[x > 0] for x in xs]`, later `jnp.concatenate(parts)`."""
    code, part = spot.code, _part(spot)
    made = code.parents[part.node] if part is not None else None
    match code.statement(spot.node):
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.ListComp() as value) as statement if value is made:
            pass
        case _:
            return
    if part is None or part.node is not value.elt or _made_once(spot, name) is not statement:
        return
    kept = code.fresh(f"{name}_kept", f"{name}_chosen")
    joined = _joined_later(spot, name, kept, {statement}) if code.on_own_lines([statement]) else []
    if joined:
        below = code.region([statement])[1]
        masks = f"{code.indent(statement)}{kept} = {_with_element(spot, value, part.mask)}\n"
        yield _step(spot, part, (part.node, part.array), ((below, below), masks), *joined)


def appended_by_name(spot: Spot) -> Iterator[Step]:
    """`some = x[x > 0]`, then `parts.append(some)` → `parts.append(x[x > 0])`; also where it is asked whether there are any."""
    code, part, statement = spot.code, _part(spot), spot.code.statement(spot.node)
    block = code.block(statement)
    after = block[block.index(statement) + 1 :][:1] if statement in block else []
    match statement, after:
        case ast.Assign(targets=[ast.Name(id=name)], value=value), [found] if part is not None and value is part.node:
            pass
        case _:
            return
    inner = found
    match found:
        case ast.If(test=test, body=[only], orelse=[]) if _asks_for_any(code.src(test), name):
            inner = only
    appended = _appended(inner)
    if appended is None or not isinstance(appended[1], ast.Name) or appended[1].id != name:
        return
    known = {node for each in (statement, found) for node in walk(each)}
    others = [node for node in walk(spot.function or code.tree) if isinstance(node, ast.Name) and node.id == name]
    made = _made_once(spot, appended[0])
    if any(node not in known for node in others) or made is None or not code.on_own_lines([statement, found]):
        return
    if _joined_later(spot, appended[0], "kept", {made, inner}):
        line = f"{code.indent(statement)}{appended[0]}.append({code.src(value)})\n"
        yield spot.step("names", (code.region([statement, found]), line))


def _asks_for_any(test: str, name: str) -> bool:
    sizes = (f"len({name})", f"{name}.size", f"{name}.shape[0]")
    return any(test in (size, f"{size} > 0", f"{size} != 0", f"{size} >= 1", f"0 < {size}") for size in sizes)


def _made_once(spot: Spot, name: str) -> ast.stmt | None:
    """The one statement that binds the name, in a function."""
    if not isinstance(spot.function, ast.FunctionDef):
        return None
    stored = [
        node
        for node in walk(spot.function)
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
    ]
    return spot.code.statement(stored[0]) if len(stored) == 1 else None


def _joined_later(spot: Spot, name: str, kept: str, known: set[ast.stmt]) -> _Edits:
    """The calls that join the list's parts, with their masks joined as well; none where the list is read otherwise."""
    edits: _Edits = []
    inside = {node for statement in known for node in walk(statement)}
    for node in walk(spot.function) if spot.function is not None else ():
        if not isinstance(node, ast.Name) or node.id != name or node in inside:
            continue
        match spot.code.parents[node]:
            case ast.Call() as call if _joins(spot, call, node):
                edits.append((call, f"{spot.code.src(call)}[{spot.jnp('concatenate')}({kept})]"))
            case ast.Call(func=ast.Name(id="len")) if spot.is_builtin("len"):
                pass
            case _:
                return []
    return edits


def _step(spot: Spot, part: _Part, *edits: tuple[ast.AST | tuple[int, int], str]) -> Step:
    return spot.step("mask", *edits, excludes=NEGATIVE if part.is_cut else {})


def _part(spot: Spot) -> _Part | None:
    """The selection around the place, with a mask of its own: a vector of truths, or what a slice asks of the places."""
    node = next((at for at in (spot.node, *spot.code.ancestors(spot.node)) if isinstance(at, ast.Subscript | ast.stmt)), None)
    if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
        return None
    code = spot.code
    array, index = code.operand(node.value), node.slice
    match index:
        case ast.Tuple(elts=[*first, ast.Slice() as last]) if first and is_read_as_it_is(node.value):
            if any(isinstance(each, ast.Slice | ast.Starred) for each in first):
                return None
            array, index = f"{array}[{', '.join(map(code.src, first))}]", last
        case ast.Slice() if not is_read_as_it_is(node.value):
            return None
    if isinstance(index, ast.Slice):
        if not any(traced(spot, each) for each in (index.lower, index.upper) if each is not None):
            return None
        mask = mask_of_slice(spot, array, index)
        return _Part(node, array, mask, is_cut=True) if mask else None
    fact, chosen = spot.fact(node.value), spot.fact(index)
    if fact is None or fact.sort != "array" or fact.ndim < 1 or chosen is None or (chosen.dtype, chosen.ndim) != ("b", 1):
        return None
    return _Part(node, array, code.src(index), is_cut=False)


def mask_of_slice(spot: Spot, array: str, index: ast.Slice) -> str:
    """Which of an array's places a slice takes, as text; "" where it says that it counts from the end, or has a step."""
    if index.step is not None or any(isinstance(each, ast.UnaryOp) for each in (index.lower, index.upper)):
        return ""
    places = f"{spot.jnp('arange')}(len({array}))"
    low = f"({places} >= {spot.code.compared(index.lower)})" if index.lower is not None else ""
    high = f"({places} < {spot.code.compared(index.upper)})" if index.upper is not None else ""
    mask = " & ".join(filter(None, (low, high)))
    return mask if low and high else mask[1:-1]


def _appended(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value], keywords=[])):
            return name, value
    return None


def _is_empty_list(statement: ast.stmt) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name()], value=ast.List(elts=[])):
            return True
    return False


def _joins(spot: Spot, call: ast.Call, parts: ast.expr) -> bool:
    """Whether a call joins the parts along the first axis."""
    match call:
        case ast.Call(func=ast.Attribute(value=owner, attr="concatenate" | "hstack" as name), args=[found], keywords=keywords):
            zero = all(each.arg == "axis" and ast.unparse(each.value) == "0" for each in keywords)
            fact = spot.fact(call) if name == "hstack" else None
            return found is parts and is_module(spot, owner) and zero and (name != "hstack" or (fact and fact.ndim) == 1)
    return False


def _with_element(spot: Spot, made: ast.ListComp, text: str) -> str:
    return spot.code.edited(*spot.code.span(made), [(*spot.code.span(made.elt), text)])


def _joined(spot: Spot, call: ast.Call, parts: ast.expr, text: str) -> str:
    return spot.code.edited(*spot.code.span(call), [(*spot.code.span(parts), text)])


RULES: list[Rule] = [appended_by_name, in_one_comprehension, in_a_named_comprehension, in_a_list]
