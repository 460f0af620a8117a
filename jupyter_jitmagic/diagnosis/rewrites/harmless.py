"""What may be evaluated although it is not chosen."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from jupyter_jitmagic.source.code import words
from jupyter_jitmagic.source.names import name_of

# what may be evaluated without being chosen: cheap, and finite with finite derivatives wherever its operands are
_HARMLESS = words(
    "abs absolute add subtract multiply negative where minimum maximum clip zeros_like ones_like full_like zeros "
    "ones full square sign sin cos tanh sum any all logical_and logical_or logical_not asarray array float32 int32 "
    "float64 int64 bool_ max min isnan isfinite isinf less greater equal not_equal less_equal greater_equal astype "
    "reshape ravel flatten shape ndim stack concatenate broadcast_to select nan_to_num floor ceil round rint "
    "transpose roll flip float int bool len heaviside conj real imag"
)


def harmless(nodes: Sequence[ast.AST]) -> bool:
    """Whether evaluating this although it is not chosen costs little and poisons no gradient."""
    for root in nodes:
        for node in ast.walk(root):
            if isinstance(node, ast.BinOp):
                if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod) and not isinstance(node.right, ast.Constant):
                    return False
                if isinstance(node.op, ast.Pow) and not (isinstance(node.right, ast.Constant) and _natural(node.right.value)):
                    return False
                if isinstance(node.op, ast.MatMult):
                    return False
            elif isinstance(node, ast.Call):
                name = name_of(node)
                if name not in _HARMLESS and not name[:1].isupper():
                    return False
            elif (isinstance(node, ast.Subscript) and not _one_place(node.slice)) or (
                isinstance(node, ast.comprehension | ast.For | ast.While | ast.Lambda | ast.AugAssign)
                and not (isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult))
            ):
                return False
    return True


def may_have_no_end(nodes: Sequence[ast.AST]) -> bool:
    """Whether a `while` stands there, or what became of one: only its data may say that it ends, and what is not chosen would
    be computed with any. (One in a function that is called is not looked for: `harmless` knows no such function.)"""
    return any(
        isinstance(node, ast.While)
        or (isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "while_loop")
        for root in nodes
        for node in ast.walk(root)
    )


def _natural(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _one_place(index: ast.expr) -> bool:
    """Whether an index names one element, row or fixed range, wherever that lies: `x[i + 1, :3]`, but not `x[:i]`."""
    if isinstance(index, ast.Tuple):
        return all(map(_one_place, index.elts))
    if isinstance(index, ast.Slice):
        return all(isinstance(n, ast.Constant | ast.Slice | ast.UnaryOp | ast.USub) for n in ast.walk(index))
    parts = ast.Constant | ast.Name | ast.BinOp | ast.Add | ast.Sub | ast.UnaryOp | ast.USub | ast.expr_context
    return all(isinstance(n, parts) for n in ast.walk(index))
