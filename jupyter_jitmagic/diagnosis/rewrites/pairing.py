"""Comprehensions over all pairs of two arrays: `sum(f(p - n) for p in pos for n in neg)` → `jnp.sum(f(pos[:, None] - neg))`;
and places in pairs, one of which is a mask: `a[mask, labels[mask]]`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.operations import called
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import walk_scope

_OF_ALL = ("sum", "any", "all")


def over_pairs(spot: Spot) -> Iterator[Step]:
    """All such comprehensions of a function in which a selection stops the trace."""
    if type(spot.error).__name__ != "NonConcreteBooleanIndexError" or not isinstance(spot.function, ast.FunctionDef):
        return
    edits = [edit for node in walk_scope(spot.function.body) if (edit := _as_a_table(spot, node)) is not None]
    if edits:
        yield spot.step("pairs", *edits)


def _as_a_table(spot: Spot, node: ast.AST) -> tuple[ast.AST, str] | None:
    """The reduction, or the array, that is made of a comprehension, with a table of all pairs in its place."""
    match node:
        case ast.Call(args=[ast.ListComp() | ast.GeneratorExp() as made], keywords=[]):
            pass
        case ast.Assign(targets=[ast.Name(id=held)], value=ast.ListComp() as made) if _is_made_an_array(spot, held):
            listed = _table(spot, made)
            return None if listed is None else (made, f"({listed}).ravel()")
        case _:
            return None
    table = _table(spot, made)
    if table is None:
        return None
    name = node.func.id if isinstance(node.func, ast.Name) and spot.is_builtin(node.func.id) else ""
    if name in _OF_ALL:
        return node, f"{spot.jnp(name)}({table})"
    known = called(spot, node)
    if known is not None and known.form == "function" and known.name in ("array", "asarray") and isinstance(made, ast.ListComp):
        return made, f"({table}).ravel()"
    return None


def _is_made_an_array(spot: Spot, name: str) -> bool:
    """Whether a list is bound once, and is nothing but what an array is made of."""
    named = [each for each in ast.walk(spot.function or spot.code.tree) if isinstance(each, ast.Name) and each.id == name]
    uses = [spot.code.parents[each] for each in named if isinstance(each.ctx, ast.Load)]
    makers = [called(spot, each) for each in uses if isinstance(each, ast.Call) and len(each.args) == 1]
    arrays = [each for each in makers if each is not None and each.form == "function" and each.name in ("array", "asarray")]
    return bool(uses) and len(arrays) == len(uses) == len(named) - 1


def _table(spot: Spot, made: ast.ListComp | ast.GeneratorExp) -> str | None:
    match made.generators:
        case [
            ast.comprehension(target=ast.Name(id=first), iter=rows, ifs=[]),
            ast.comprehension(target=ast.Name(id=second), iter=columns, ifs=[]),
        ]:
            pass
        case _:
            return None
    code = spot.code
    arrays = [spot.fact(each) for each in (rows, columns)]
    if first == second or any(fact is None or fact.sort != "array" or fact.ndim != 1 for fact in arrays):
        return None
    if any(isinstance(each, ast.Name) and each.id == first for each in ast.walk(columns)):
        return None
    if not _is_elementwise(spot, made.elt, {first, second}):
        return None
    stand_for = {first: f"{code.operand(rows)}[:, None]", second: f"{code.operand(columns)}[None, :]"}
    edits = [
        (*code.span(each), stand_for[each.id])
        for each in ast.walk(made.elt)
        if isinstance(each, ast.Name) and each.id in stand_for
    ]
    return code.edited(*code.span(made.elt), edits)


def _is_elementwise(spot: Spot, node: ast.expr, names: set[str]) -> bool:
    """Whether an expression of two numbers is, of two arrays, what it is of each pair."""
    match node:
        case ast.Name(id=name):
            return name in names or _is_number(spot, node)
        case ast.Constant():
            return True
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _is_elementwise(spot, operand, names)
        case ast.BinOp(left=left, right=right) | ast.Compare(left=left, comparators=[right]):
            return _is_elementwise(spot, left, names) and _is_elementwise(spot, right, names)
        case ast.Call(args=args, keywords=[]):
            known = called(spot, node)
            by_itself = known is not None and (known.form == "function" or (known.form, known.name) == ("builtin", "abs"))
            elementwise = known is not None and by_itself and known.operation.sort == "elementwise"
            return elementwise and all(_is_elementwise(spot, each, names) for each in args)
    return False


def _is_number(spot: Spot, node: ast.expr) -> bool:
    fact = spot.fact(node)
    return fact is not None and fact.ndim == 0 and fact.sort in ("array", "number")


def as_places(spot: Spot) -> Iterator[Step]:
    """`a[mask, labels[mask]]` → `places = jnp.nonzero(mask)[0]`, `a[places, labels[places]]`, which the walk goes on with."""
    code = spot.code
    for node in (spot.node, *code.ancestors(spot.node)):
        if isinstance(node, ast.stmt):
            return
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and isinstance(node.ctx, ast.Load):
            parts = node.slice.elts
            masks = [part for part in parts if _is_mask(spot, part)]
            texts = {code.src(mask) for mask in masks}
            statement = code.statement(node)
            if len(texts) != 1 or len(parts) < 2 or not code.on_own_lines([statement]) or code.is_elif(statement):
                return
            again = [each for each in ast.walk(node.slice) if isinstance(each, ast.expr) and code.src(each) in texts]
            if len(again) < 2 or any(each not in parts and not _is_index(code.parents[each], each) for each in again):
                return
            places = code.fresh("places", "chosen_places")
            line = f"{code.indent(statement)}{places} = {spot.jnp('nonzero')}({code.expr(masks[0])})[0]\n"
            start = code.region([statement])[0]
            yield spot.step("places", ((start, start), line), *((each, places) for each in again))
            return


def _is_mask(spot: Spot, node: ast.expr) -> bool:
    fact = spot.fact(node)
    return fact is not None and fact.dtype == "b" and fact.ndim == 1


def _is_index(parent: ast.AST, node: ast.expr) -> bool:
    return isinstance(parent, ast.Subscript) and parent.slice is node


RULES: list[Rule] = [as_places, over_pairs]
