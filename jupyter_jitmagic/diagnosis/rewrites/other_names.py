"""Arrays of NumPy by two names: `other = out`, `row = table[0]`, then `row[-1] = t` changes both. An array of JAX's has no
second name that sees a change, so the first one stands in the place of the second."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import ARRAY, BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.names import SCOPES, walk, walk_scope

_Edit = tuple[ast.AST | tuple[int, int], str]


def by_the_first(spot: Spot) -> Iterator[Step]:
    """`row = table[0]` … `row[-1] = t`, `row.sum()` → `table[0, -1] = t`, `table[0].sum()`."""
    function = spot.function
    if spot.kind not in (ARRAY, BOOL) or not isinstance(function, ast.FunctionDef):
        return
    nodes = walk(function)
    if any(isinstance(node, SCOPES) for node in nodes if node is not function):
        return
    named = [node for node in nodes if isinstance(node, ast.Name)]
    stores = Counter(node.id for node in named if isinstance(node.ctx, ast.Store))
    stores.update(each.arg for each in walk(function.args) if isinstance(each, ast.arg))
    written = {
        node.value.id
        for node in nodes
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
    }
    for statement in function.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=first)):
                at = ""
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Subscript(
                    value=ast.Name(id=first), slice=ast.Constant() | ast.UnaryOp(operand=ast.Constant()) as index
                ),
            ):
                at = spot.code.src(index)
            case _:
                continue
        once = stores[name] == stores[first] == 1 and name != first
        if (
            once
            and {name, first} & written
            and _is_own(spot, function, first, bool(at))
            and spot.code.on_own_lines([statement])
        ):
            yield from _step(spot, named, statement, name, first, at)
            return


def _is_own(spot: Spot, function: ast.FunctionDef, name: str, rows: bool) -> bool:
    """Whether a name stands for an array of NumPy that the function makes; `rows`: of which an item is a row and no number."""
    for node in walk_scope(function.body):
        match node:
            case ast.Assign(targets=[ast.Name(id=each)], value=ast.Call() as made) if each == name:
                fact = spot.fact(made)
                return fact is not None and fact.sort == "host" and fact.ndim > rows
    return False


def _step(spot: Spot, named: list[ast.Name], statement: ast.Assign, name: str, first: str, at: str) -> Iterator[Step]:
    code = spot.code
    edits: list[_Edit] = [(code.region([statement]), "")]
    for use in named:
        if use.id != name or not isinstance(use.ctx, ast.Load):
            continue
        parent = code.parents[use]
        if at and isinstance(parent, ast.Subscript) and parent.value is use:
            edits.append(((code.span(use)[0], code.span(parent.slice)[0]), f"{first}[{at}, "))
        else:
            edits.append((use, f"{first}[{at}]" if at else first))
    yield spot.step("inline", *edits)


RULES: list[Rule] = [by_the_first]
