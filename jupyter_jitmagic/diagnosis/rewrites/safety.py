"""How safe elements that do not count must be, by what is computed with them."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from jupyter_jitmagic.diagnosis.rewrites.filled import is_steep_where_filled
from jupyter_jitmagic.diagnosis.rewrites.operations import BINARY, OUTGROWING, PARTIAL, TOTAL, called
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot


def safety_of(spot: Spot, body: Sequence[ast.AST]) -> int:
    """How safe the elements must be with which statements or expressions compute."""
    for node in (part for root in body for part in ast.walk(root)):
        if is_steep_where_filled(node):
            continue
        if isinstance(node, ast.BinOp) and BINARY.get(type(node.op)) == PARTIAL:
            power = node.right.value if isinstance(node.right, ast.Constant) else None
            if isinstance(node.op, ast.Pow) and isinstance(power, int) and power > 0:
                continue
            if isinstance(node.op, ast.Div) and isinstance(node.right, ast.Constant):
                continue
            return PARTIAL
        if isinstance(node, ast.Call):
            known = called(spot, node)
            if known is None and not (isinstance(node.func, ast.Attribute) and node.func.attr in ("append", "set", "add")):
                return PARTIAL
            if known is not None and known.operation.safety == PARTIAL:
                return PARTIAL
            if known is not None and known.name in OUTGROWING and _is_far(node):
                return PARTIAL
    return TOTAL


def _is_far(node: ast.AST) -> bool:
    """Whether what it computes with may be far from what counts, with either sign."""
    parts = list(ast.walk(node))
    return any(map(shifts, parts)) and not any(map(squares, parts))


def shifts(node: ast.AST) -> bool:
    """Whether it adds or takes away a number of the data."""
    match node:
        case ast.BinOp(op=ast.Add() | ast.Sub(), left=left, right=right):
            return not (isinstance(left, ast.Constant) or isinstance(right, ast.Constant))
    return False


def squares(node: ast.AST) -> bool:
    """Whether it is a square, of which `exp(-z * z)` outgrows nothing."""
    match node:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return ast.dump(left.operand if isinstance(left, ast.UnaryOp) else left) == ast.dump(right)
        case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=2)):
            return True
    return False
