"""Lists that are copied, changed and kept: `trial = order.copy()`, `trial[i], trial[j] = …`, `if …: order = trial`.

Where one of them becomes an array, so must all that are bound to it: a choice between a list and an array is none.
"""

from __future__ import annotations

import ast

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.names import bound_once, bound_to, walk_scope


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
    """The lists of numbers that take over one of these: a copy of it, or itself where that is a fresh copy that is left alone
    from then on. Otherwise both are the same list, and what is put into one is in the other."""
    assigned = [node for node in walk_scope(function.body) if isinstance(node, ast.Assign)]
    bindings = [(target.id, value, statement) for statement in assigned for target, value in bound_to(statement)]
    found: set[str] = set()
    while True:  # what takes over one that does
        more = set()
        for name in {name for name, _, _ in bindings} - names - found:
            own = [(value, statement) for bound, value, statement in bindings if bound == name]
            taken = [(value, statement) for value, statement in own if not is_new_list(value)]
            takes = [copied(value) or getattr(value, "id", "") for value, _ in own]
            fresh = all(_is_taken_over(spot, function, value, statement) for value, statement in taken)
            if len(own) > 1 and fresh and {*takes} & (names | found) and _of_numbers(spot, name):
                more.add(name)
        if not more:
            return found
        found |= more


def copy_of(function: ast.FunctionDef, name: str) -> ast.expr | None:
    """What a name is bound to, if one assignment alone binds it, and to a copy."""
    value = bound_once(function, name)
    return value if value is not None and copied(value) else None


def is_new_list(value: ast.expr) -> bool:
    """Whether a list is made there that no other name has: `[0] * n`, `sorted(x)`, `order[:]`, `x.tolist()`."""
    match value:
        case ast.List() | ast.ListComp() | ast.Subscript(slice=ast.Slice()):
            return True
        case ast.BinOp(op=ast.Add() | ast.Mult()):
            return True
        case ast.Call(func=ast.Name(id="sorted" | "list")) | ast.Call(func=ast.Attribute(attr="tolist" | "copy")):
            return True
    return False


def _is_taken_over(spot: Spot, function: ast.FunctionDef, value: ast.expr, statement: ast.stmt) -> bool:
    """`order = trial`, of a fresh copy: all that uses it stands behind the copy, in the block where that is made, no loop
    between the two comes back to it, and nothing is put into it behind `statement`."""
    if not isinstance(value, ast.Name) or (made := copy_of(function, value.id)) is None:
        return False
    copying = spot.code.statement(made)
    block = spot.code.block(copying)
    behind = {node for each in block[block.index(copying) + 1 :] for node in ast.walk(each)}
    uses = [node for node in walk_scope(function.body) if isinstance(node, ast.Name) and node.id == value.id]
    if not all(node in behind or spot.code.statement(node) is copying for node in uses):
        return False
    if any(isinstance(at, ast.For | ast.While) and at in behind for at in spot.code.ancestors(statement)):
        return False
    later = [node for node in uses if node.lineno > statement.lineno]
    return all(_only_reads(spot.code.parents[node]) for node in later)


def _only_reads(use: ast.AST) -> bool:
    """Whether what is done with a list is no method, and sets no item."""
    return not isinstance(use, ast.Attribute) and not (isinstance(use, ast.Subscript) and not isinstance(use.ctx, ast.Load))


def _of_numbers(spot: Spot, name: str) -> bool:
    held = spot.locals.get(name)
    return isinstance(held, list) and bool(held) and all(type(each) in (int, float) for each in held)
