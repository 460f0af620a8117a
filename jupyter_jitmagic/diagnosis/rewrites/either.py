"""Selections of one array of which a test on data chooses: one selection, by a mask that the test chooses.

`x[m] if m.any() else x` → `x[jnp.where(m.any(), m, True)]`, which other rules follow.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import jax

from jupyter_jitmagic.diagnosis.rewrites.packed import mask_of_slice
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step, is_traced_value
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE, is_read_as_it_is, traced
from jupyter_jitmagic.source.names import loaded, walk


@dataclass(frozen=True)
class _Side:
    """What one side of the choice takes.

    Attributes:
        array: the source text of what it is selected from.
        mask: that of which of its elements are.
        reads: the names in both.
        by_data: what of data says so: a "mask", a "slice", or nothing ("").
    """

    array: str
    mask: str
    reads: frozenset[str]
    by_data: str = ""


def in_an_expression(spot: Spot) -> Iterator[Step]:
    """`h[:n] if n > 0 else h[:1]`."""
    node = _asking(spot)
    if not isinstance(node, ast.IfExp) or not _selects([node.body, node.orelse]):
        return
    sides = _side(spot, node.body), _side(spot, node.orelse)
    mask = _chosen(spot, node.test, sides)
    if mask and sides[0] is not None:
        yield _step(spot, sides, (node, f"{sides[0].array}[{mask}]"))


def in_statements(spot: Spot) -> Iterator[Step]:
    """`if m.any(): x, y = x[m], y[m]`, with or without an `else`."""
    node, code = _asking(spot), spot.code
    if not isinstance(node, ast.If) or code.is_elif(node) or not code.on_own_lines([node]):
        return
    blocks = [_bound(block) for block in (node.body, node.orelse)]
    names = [*dict.fromkeys(name for block in blocks if block is not None for name in block)]
    if not all(_selects([block[name] for block in blocks if block is not None and name in block]) for name in names):
        return
    made: dict[str, tuple[str, str]] = {}
    found: list[_Side | None] = []
    for name in names:
        itself = _Side(name, "True", frozenset({name})) if is_traced_value(spot.locals.get(name)) else None
        sides = [_side(spot, block[name]) if name in block else itself for block in blocks if block is not None]
        mask = _chosen(spot, node.test, sides)
        reads = frozenset(loaded([node.test])).union(*(side.reads for side in sides if side is not None))
        if not mask or sides[0] is None or reads & {*names[: names.index(name)]}:
            return
        made[name] = f"{sides[0].array}[{{}}]", mask
        found += sides
    if made:
        indent = code.indent(node)
        one = {mask for _, mask in made.values()}
        kept = code.fresh("kept", "chosen") if len(made) > 1 and len(one) == 1 else ""
        lines = f"{indent}{kept} = {one.pop()}\n" if kept else ""
        lines += "".join(f"{indent}{name} = {text.format(kept or mask)}\n" for name, (text, mask) in made.items())
        yield _step(spot, found, (code.region([node]), lines))


def unless_few_are_left(spot: Spot) -> Iterator[Step]:
    """`some = x[m]`, then `if len(some) < 2: some = x`, or `some if len(some) > 1 else x`."""
    code, node = spot.code, next((at for at in (spot.node, *spot.code.ancestors(spot.node)) if _ends_it(at)), None)
    statement = code.statement(spot.node)
    block = code.block(statement)
    after = block[block.index(statement) + 1 :][:1] if statement in block else []
    match statement, after:
        case ast.Assign(targets=[ast.Name(id=name)], value=value), [found] if value is node and code.on_own_lines(
            [statement, found]
        ):
            pass
        case _:
            return
    match found:
        case ast.If(test=test, body=[ast.Assign(targets=[ast.Name(id=target)], value=other)], orelse=[]) if target == name:
            sides = [other, value]
        case ast.Assign(targets=[ast.Name(id=target)], value=ast.IfExp(test=test, body=body, orelse=orelse)):
            sides = [value if isinstance(each, ast.Name) and each.id == name else each for each in (body, orelse)]
        case _:
            return
    known = {each for root in (statement, found) for each in walk(root)}
    uses = [each for each in walk(spot.function or code.tree) if isinstance(each, ast.Name) and each.id == name]
    if value not in sides or (target != name and any(each not in known for each in uses)):
        return
    made = [_side(spot, each) for each in sides]
    itself = made[sides.index(value)]
    fact = spot.fact(value.value) if isinstance(value, ast.Subscript) else None
    if itself is None or fact is None or any(name in side.reads for side in made if side is not None):
        return
    kept = code.fresh("kept", "chosen")
    made[sides.index(value)] = replace(itself, mask=kept)
    asked = _of_the_count(spot, test, name, f"{spot.jnp('sum')}({kept})", fact.ndim)
    mask = _chosen(spot, test, made, asked) if asked else ""
    if mask:
        indent = code.indent(statement)
        lines = f"{indent}{kept} = {itself.mask}\n{indent}{target} = {itself.array}[{mask}]\n"
        yield _step(spot, made, (code.region([statement, found]), lines))


def _ends_it(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript | ast.stmt)


def _of_the_count(spot: Spot, test: ast.expr, name: str, count: str, ndim: int) -> str:
    """A test of how many were selected, with their count in the place of the array; "" where it asks for more."""
    test = test.operand if isinstance(test, ast.UnaryOp) else test
    lengths = {f"len({name})", f"{name}.shape[0]", *([f"{name}.size"] if ndim == 1 else [])}
    found = [each for each in walk(test) if ast.unparse(each) in lengths]
    inside = {part for each in found for part in walk(each)}
    if isinstance(test, ast.BoolOp) or any(isinstance(n, ast.Name) and n.id == name and n not in inside for n in walk(test)):
        return ""
    start, end = spot.code.span(test)
    return spot.code.edited(start, end, [(*spot.code.span(each), count) for each in found]) if found else ""


def _asking(spot: Spot) -> ast.AST | None:
    """Who asks the test at which the trace stopped; it is the whole of the test."""
    if spot.kind != BOOL:
        return None
    at = spot.node
    if isinstance(spot.code.parents[at], ast.UnaryOp):
        at = spot.code.parents[at]
    owner = spot.code.parents[at]
    return owner if isinstance(owner, ast.If | ast.IfExp) and at is owner.test else None


def _bound(block: list[ast.stmt]) -> dict[str, ast.expr] | None:
    """What a block binds to names, where it does nothing else and no line needs what another bound."""
    found: dict[str, ast.expr] = {}
    for statement in block:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pairs = [(name, value)]
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
                pairs = [(each.id, value) for each, value in zip(targets, values, strict=True) if isinstance(each, ast.Name)]
                if len(pairs) < len(targets):
                    return None
            case _:
                return None
        if any(set(loaded([value])) & {*found} for _, value in pairs) or {name for name, _ in pairs} & {*found}:
            return None
        found |= dict(pairs)
    return found


def _selects(sides: Iterable[ast.expr]) -> bool:
    """Whether some side may be a selection: known without a plain run, which the facts about an array take."""
    return any(isinstance(side, ast.Subscript) for side in sides)


def _side(spot: Spot, node: ast.expr) -> _Side | None:
    """A vector of truths in brackets, a slice, or the array itself."""
    code, whole = spot.code, node.value if isinstance(node, ast.Subscript) else node
    if not is_read_as_it_is(whole) or not _is_array(spot, whole):
        return None
    array, reads = code.operand(whole), frozenset(loaded([node]))
    if not isinstance(node, ast.Subscript):
        return _Side(array, "True", reads)
    if isinstance(node.slice, ast.Slice):
        bounds = [each for each in (node.slice.lower, node.slice.upper) if each is not None]
        by_data = [traced(spot, each) for each in bounds]
        mask = mask_of_slice(spot, array, node.slice) if bounds else ""
        written = all(known or isinstance(each, ast.Constant) for each, known in zip(bounds, by_data, strict=True))
        return _Side(array, mask, reads, "slice" if any(by_data) else "") if mask and written else None
    return _Side(array, code.src(node.slice), reads, "mask") if _is_mask(spot, node.slice) else None


def _is_mask(spot: Spot, node: ast.expr) -> bool:
    """Whether it is a vector of truths; where no input came to it, as far as it is written: a comparison of a vector's."""
    fact = spot.fact(node)
    if fact is not None:
        return (fact.dtype, fact.ndim) == ("b", 1)
    match node:
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr(), right=right):
            return _is_mask(spot, left) and _is_mask(spot, right)
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            return _is_mask(spot, operand)
        case ast.Compare(left=ast.Call(args=[left], keywords=[]) as call, ops=[_]):
            return spot.value(call.func) is jax.numpy.abs and _is_vector(spot, left)
        case ast.Compare(left=left, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE() | ast.Eq() | ast.NotEq()]):
            return _is_vector(spot, left)
    return False


def _is_vector(spot: Spot, node: ast.expr) -> bool:
    value = spot.locals.get(node.id) if isinstance(node, ast.Name) else None
    return is_traced_value(value) and getattr(value, "ndim", 0) == 1


def _is_array(spot: Spot, node: ast.expr) -> bool:
    """Whether it is an array of JAX's with elements."""
    fact = spot.fact(node)
    return fact is not None and fact.sort == "array" and fact.ndim > 0


def _chosen(spot: Spot, test: ast.expr, sides: Sequence[_Side | None], asked: str = "") -> str:
    """The mask that the test chooses, as text; "" where these are no selections of one array, or none whose length is data.
    `asked`: what stands for the test, or for what it is the opposite of."""
    if len(sides) != 2:
        return ""
    first, second = sides
    if first is None or second is None or first.array != second.array or not (first.by_data or second.by_data):
        return ""
    if isinstance(test, ast.UnaryOp):
        if not isinstance(test.op, ast.Not):
            return ""
        test, first, second = test.operand, second, first
    return f"{spot.jnp('where')}({asked or spot.code.src(test)}, {first.mask}, {second.mask})"


def _step(spot: Spot, sides: Iterable[_Side | None], edit: tuple[ast.AST | tuple[int, int], str]) -> Step:
    return spot.step("mask", edit, excludes=NEGATIVE if any(side and side.by_data == "slice" for side in sides) else {})


RULES: list[Rule] = [in_an_expression, in_statements, unless_few_are_left]
