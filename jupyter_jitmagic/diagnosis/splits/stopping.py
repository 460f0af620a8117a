"""At which of the user's statements the trace of a piece stopped."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from jupyter_jitmagic.diagnosis.splits.cutting import Item, Piece
from jupyter_jitmagic.diagnosis.splits.program import Place, Program
from jupyter_jitmagic.source.names import walk_scope
from jupyter_jitmagic.usercode.places import frames_of, position, tested_at


def own_statement(place: Place, node: ast.AST) -> ast.stmt:
    """The statement of the function's own (not of one inside it) in which a node stands."""
    own = set(walk_scope(place.node.body))
    return next(at for at in place.code.ancestors(node) if isinstance(at, ast.stmt) and at in own)


def stopped_at(program: Program, piece: Piece, error: BaseException) -> tuple[Item | None, ast.AST | None]:
    """(the statement of a piece at which a trace stopped, the user's expression there if the statement is whole)."""
    definition = program.definition_of(piece)
    first, last = definition.lineno, definition.end_lineno or 0
    for frame, instruction in frames_of(error, program.filename.__eq__):
        where = position(frame.f_code, tested_at(frame.f_code, instruction), 0)
        if not first <= where.line <= last:
            continue
        end = 10**6 if where.end_column is None else where.end_column
        node = program.code.at(where.line, where.column or 0, where.end_line or where.line, end)
        if node is None:
            continue
        path = _path(program.code.parents, node, definition)
        if not path or path[0][0] != "body":
            continue
        number = path[0][1] - len(piece.copied)
        if not 0 <= number < len(piece.items):
            continue
        item = piece.items[number]
        return item, _follow(item.stmt, path[1:]) if item.part == 0 else None
    return None, None


def _path(parents: Mapping[ast.AST, ast.AST], node: ast.AST, top: ast.AST) -> list[tuple[str, int]]:
    """The way from `top` down to a node, as fields and numbers in them."""
    path: list[tuple[str, int]] = []
    while node is not top:
        above = parents.get(node)
        if above is None:
            return []
        for name, value in ast.iter_fields(above):
            if value is node:
                path.append((name, -1))
            elif isinstance(value, list):
                path += [(name, number) for number, one in enumerate(value) if one is node]
        node = above
    return path[::-1]


def _follow(node: ast.AST, path: Sequence[tuple[str, int]]) -> ast.AST:
    for name, number in path:
        value = getattr(node, name)
        node = value if number < 0 else value[number]
    return node
