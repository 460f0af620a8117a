"""Lists that are copied, changed and kept: `trial = order.copy()`, `trial[i], trial[j] = …`, `if …: order = trial`.

Where one of them becomes an array, so must all that are bound to it: a choice between a list and an array is none.
"""

from __future__ import annotations

import ast

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.names import bound_to, walk_scope


def copied(value: ast.expr) -> str:
    """The list of which a copy is made: `order.copy()`, `list(order)`, `order[:]`; "" for all else."""
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="copy"), args=[], keywords=[]):
            return name
        case ast.Call(func=ast.Name(id="list"), args=[ast.Name(id=name)], keywords=[]):
            return name
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice(lower=None, upper=None, step=None)):
            return name
    return ""


def kept_from(spot: Spot, function: ast.FunctionDef, names: set[str]) -> set[str]:
    """The lists of numbers that take over one of these: a copy of it, or itself where that is a fresh copy before anything is
    put into it. Otherwise both are the same list, and what is put into one is in the other."""
    found: set[str] = set()
    bindings = _bindings(function)
    for _ in bindings:  # what takes over one that does
        for name, value, _ in bindings:
            several = sum(other == name for other, _, _ in bindings) > 1
            if name in names | found or not several or not _of_numbers(spot, name):
                continue
            fresh = copied(value) in names | found
            if isinstance(value, ast.Name) and value.id in names | found and (made := copy_of(function, value.id)) is not None:
                fresh = _stands_before(spot, made, function, value.id)
            if fresh:
                found.add(name)
    return found


def copy_of(function: ast.FunctionDef, name: str) -> ast.Assign | None:
    """The only statement that binds a name, if that is to a copy."""
    made = [(statement, value) for bound, value, statement in _bindings(function) if bound == name]
    return made[0][0] if len(made) == 1 and copied(made[0][1]) else None


def _bindings(function: ast.FunctionDef) -> list[tuple[str, ast.expr, ast.Assign]]:
    assigned = [node for node in walk_scope(function.body) if isinstance(node, ast.Assign)]
    return [(target.id, value, statement) for statement in assigned for target, value in bound_to(statement)]


def _of_numbers(spot: Spot, name: str) -> bool:
    held = spot.locals.get(name)
    return isinstance(held, list) and bool(held) and all(type(each) in (int, float) for each in held)


def _stands_before(spot: Spot, made: ast.Assign, function: ast.FunctionDef, name: str) -> bool:
    """Whether all that uses the copy stands behind it, in the block in which it is made."""
    block = spot.code.block(made)
    behind = {node for statement in block[block.index(made) + 1 :] for node in ast.walk(statement)}
    uses = [node for node in walk_scope(function.body) if isinstance(node, ast.Name) and node.id == name]
    return all(node in behind or spot.code.statement(node) is made for node in uses)
