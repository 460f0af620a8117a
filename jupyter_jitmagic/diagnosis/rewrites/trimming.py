"""Loops that take elements off an end of an array, one by one: `while z[-1] == 0: z = z[:-1]`.

What is left are the elements up to the last one that the test does not take, which a mask says: one selection, which other
rules follow.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.names import walk, walk_scope

_ELEMENTWISE = (
    ast.Compare | ast.BinOp | ast.UnaryOp | ast.BoolOp | ast.Name | ast.Constant | ast.operator | ast.unaryop | ast.cmpop
    | ast.boolop | ast.expr_context
)  # fmt: skip


@dataclass(frozen=True)
class _Trimmed:
    """The loop.

    Attributes:
        name: of the array.
        last: whether its last element goes, not its first.
        test: what is asked of that element.
        least: how many elements stay in any case.
    """

    name: str
    last: bool
    test: ast.expr
    least: int


def at_an_end(spot: Spot) -> Iterator[Step]:
    """`while z[-1] == 0: z = z[:-1]` → `z = z[jnp.cumsum((z != 0)[::-1])[::-1] > 0]`, so for all such loops of a function."""
    code, function = spot.code, spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef):
        return
    loops = [each for each in walk_scope(function.body) if isinstance(each, ast.While) and code.on_own_lines([each])]
    found = {loop: trimmed for loop in loops if (trimmed := _trimmed(spot, loop)) is not None}
    if any(spot.node in walk(loop.test) for loop in found):
        yield spot.step("cumsum", *((loop, _selected(spot, trimmed)) for loop, trimmed in found.items()))


def _selected(spot: Spot, trimmed: _Trimmed) -> str:
    """The statement in the place of the loop."""
    name, added, stays = trimmed.name, spot.jnp("cumsum"), _stays(spot, trimmed)
    mask = f"{added}({stays}[::-1])[::-1] > 0" if trimmed.last else f"{added}({stays}) > 0"
    if trimmed.least:
        places, size = f"{spot.jnp('arange')}({name}.shape[0])", f"{name}.shape[0] - {trimmed.least}"
        mask = f"({mask}) | ({places} {f'< {trimmed.least}' if trimmed.last else f'>= {size}'})"
    return f"{name} = {name}[{mask}]"


def _trimmed(spot: Spot, loop: ast.While) -> _Trimmed | None:
    match loop:
        case ast.While(
            body=[
                ast.Assign(
                    targets=[ast.Name(id=name)],
                    value=ast.Subscript(value=ast.Name(id=same) as array, slice=ast.Slice() as part),
                )
            ],
            orelse=[],
        ) if name == same:
            pass
        case _:
            return None
    fact, kept = spot.fact(array), ast.unparse(part)
    if fact is None or (fact.sort, fact.ndim) != ("array", 1) or kept not in (":-1", "1:"):
        return None
    test, least = loop.test, 0
    sizes = (f"len({name})", f"{name}.size", f"{name}.shape[0]")
    match test:
        case ast.BoolOp(op=ast.And(), values=[some, asked]) if ast.unparse(some) in sizes and spot.is_builtin("len"):
            test = asked
        case ast.BoolOp(
            op=ast.And(),
            values=[ast.Compare(left=left, ops=[ast.Gt() | ast.GtE() as op], comparators=[ast.Constant(value=number)]), asked],
        ) if ast.unparse(left) in sizes and type(number) is int and spot.is_builtin("len"):
            test, least = asked, number + isinstance(op, ast.Gt) - 1
    found = _Trimmed(name, kept == ":-1", test, max(least, 0))
    return found if _is_of_an_element(spot, found) else None


def _is_of_an_element(spot: Spot, trimmed: _Trimmed) -> bool:
    """Whether a test asks for the element that goes and for numbers, in a way that it can ask for all elements at once."""
    elements = _elements(trimmed)
    inside = {part for each in elements for part in walk(each)}
    for part in walk(trimmed.test):
        match part:
            case ast.Call(func=func, args=[_], keywords=[]) if ast.unparse(func).rpartition(".")[2] in ("abs", "isnan"):
                inside |= {*walk(func)}
            case _ if part in inside:
                pass
            case ast.Name(id=name):
                fact = spot.fact(part)
                if name == trimmed.name or fact is None or fact.ndim != 0:
                    return False
            case ast.Compare(ops=ops) if len(ops) > 1 or isinstance(ops[0], ast.Is | ast.IsNot | ast.In | ast.NotIn):
                return False
            case _ if not isinstance(part, _ELEMENTWISE):
                return False
    return bool(elements)


def _elements(trimmed: _Trimmed) -> list[ast.Subscript]:
    place = "-1" if trimmed.last else "0"
    return [
        each
        for each in walk(trimmed.test)
        if isinstance(each, ast.Subscript) and ast.unparse(each) == f"{trimmed.name}[{place}]"
    ]


def _stays(spot: Spot, trimmed: _Trimmed) -> str:
    """Which elements the test does not take, asked of all at once."""
    code = spot.code

    def asked(node: ast.expr) -> str:
        match node:
            case ast.BoolOp(op=op, values=values):
                return f"({(' & ' if isinstance(op, ast.And) else ' | ').join(map(asked, values))})"
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return f"~{asked(inner)}"
        edits = [(*code.span(each), trimmed.name) for each in _elements(trimmed) if each in walk(node)]
        text = code.edited(*code.span(node), edits)
        is_truth = isinstance(node, ast.Compare) or (isinstance(node, ast.Call) and code.src(node.func).endswith("isnan"))
        return f"({text})" if is_truth else f"(({text}) != 0)"

    match trimmed.test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return asked(inner)
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[other]) if left in _elements(trimmed):
            if not any(each in walk(other) for each in _elements(trimmed)):
                return f"({trimmed.name} != {code.operand(other)})"
    return f"~{asked(trimmed.test)}"


RULES: list[Rule] = [at_an_end]
