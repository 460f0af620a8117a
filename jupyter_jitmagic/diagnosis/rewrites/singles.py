"""Whether an expression is one array or number: a choice between two such needs no `jax.tree.map`."""

from __future__ import annotations

import ast
from collections.abc import Iterable

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.code import words

_OF_ARRAYS = words(
    "abs absolute array asarray ceil clip cos dot exp expm1 floor full full_like log log1p log2 log10 matmul max maximum "
    "mean median min minimum nan_to_num ones ones_like power prod round sign sin sqrt square std sum tan tanh var zeros "
    "zeros_like"
)
_METHODS = words("astype clip dot item max mean min prod ravel reshape round std sum var")
_FIELDS = words("T imag ndim real size")
_NUMBERS = (bool, int, float, complex)


def is_single(spot: Spot, node: ast.expr) -> bool:
    """Whether it is known, of what stands there alone, to be an array or a number; False where it is not known."""
    match node:
        case ast.Constant(value=value):
            return type(value) in _NUMBERS
        case ast.Name(id=name):
            return isinstance(spot.locals.get(name), (jax.Array, jax.core.Tracer, np.ndarray, np.generic, *_NUMBERS))
        case ast.Compare(ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()]) | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.UnaryOp(operand=inner):
            return is_single(spot, inner)
        case ast.Subscript(value=inner):
            return is_single(spot, inner)
        case ast.Attribute(value=inner, attr=field):
            return field in _FIELDS and is_single(spot, inner)
        case ast.BinOp(left=left, right=right):
            return is_single(spot, left) and is_single(spot, right)
        case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _METHODS and is_single(spot, inner):
            return True
        case ast.Call(func=function):
            return any(spot.value(function) is getattr(jax.numpy, name) for name in _OF_ARRAYS)
    return False


def all_single(spot: Spot, names: Iterable[str]) -> bool:
    """`is_single` of variables; False where there is none of them."""
    held = [is_single(spot, ast.Name(name)) for name in names]
    return bool(held) and all(held)
