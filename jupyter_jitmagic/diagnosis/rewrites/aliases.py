"""A name for a row of a list of lists: `row = out[i]` and `row[0] = v` → `out[i][0] = v`, which the rules for buffers know."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.names import loaded, stored, walk_scope


def rows_by_their_place(spot: Spot, statements: Sequence[ast.stmt]) -> Iterator[Step]:
    """The rows whose items these statements set, called what they are in the list: an array of JAX has no rows to be named."""
    if not isinstance(spot.function, ast.FunctionDef):
        return
    stores = (node for node in walk_scope(statements) if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store))
    for name in dict.fromkeys(node.value.id for node in stores if isinstance(node.value, ast.Name)):
        bound = _bound_once(spot, name)
        if bound is not None and (uses := _uses_behind(spot, name, bound)) is not None:
            row = spot.code.src(bound.value)
            yield spot.step("at", (spot.code.region([bound]), ""), *((use, row) for use in uses))
            return


def _bound_once(spot: Spot, name: str) -> ast.Assign | None:
    """`row = out[i]`, out being a list of lists."""
    assert isinstance(spot.function, ast.FunctionDef)
    for node in walk_scope(spot.function.body):
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.Subscript(value=ast.Name(id=owner), slice=place)):
                rows = spot.locals.get(owner)
                if found == name and isinstance(place, ast.Name | ast.Constant) and isinstance(rows, list) and rows:
                    return node if all(type(row) is list for row in rows) else None
    return None


def _uses_behind(spot: Spot, name: str, bound: ast.Assign) -> list[ast.Name] | None:
    """Where the name is read, if that is behind its line in the same block, and what names the row stays the same there."""
    assert isinstance(spot.function, ast.FunctionDef)
    block = spot.code.block(bound)
    behind = block[block.index(bound) + 1 :]
    if not loaded([bound.value]).isdisjoint(stored(behind)):
        return None
    inside = {node for stmt in behind for node in ast.walk(stmt)}
    named = [node for node in ast.walk(spot.function) if isinstance(node, ast.Name) and node.id == name]
    uses = [node for node in named if node is not bound.targets[0]]
    return uses if uses and inside.issuperset(uses) and all(isinstance(use.ctx, ast.Load) for use in uses) else None
