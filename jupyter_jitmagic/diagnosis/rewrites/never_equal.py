"""`np.array_equal` and its kin catch what JAX raises where a tracer's value is asked for, and say that nothing is equal: in a
draft they stop the trace as NumPy's other functions do, for the rules that give each its counterpart of jax.numpy."""

from __future__ import annotations

import ast
from typing import Any

import jax
import numpy as np

_NAMES = ("array_equal", "array_equiv")
COMPARES = "__jitmagic_compares__"
"""The name of what stands before such a function, in the code that is made."""


def is_called(text: str) -> bool:
    """Whether one of them may be called there."""
    return any(name in text for name in _NAMES)


def names() -> dict[str, Any]:
    """What the code that is made needs beside its own names."""
    return {COMPARES: _compares}


def _compares(function: Any, /, *args: Any, **options: Any) -> Any:
    """Its result; a tracer among its arguments is asked for its value first, which raises."""
    if function is np.array_equal or function is np.array_equiv:
        for leaf in jax.tree_util.tree_leaves((args, options)):
            if isinstance(leaf, jax.core.Tracer):
                np.asarray(leaf)
    return function(*args, **options)


def stopping(made: str | ast.Module) -> ast.Module:
    """The code with what stops it before each of them.

    Example:
        >>> print(ast.unparse(stopping("np.array_equal(a, b)")))
        __jitmagic_compares__(np.array_equal, a, b)
    """
    tree = ast.parse(made) if isinstance(made, str) else made
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name) as func) if name in _NAMES:
                node.args.insert(0, func)
                node.func = ast.copy_location(ast.Name(COMPARES, ast.Load()), func)
    return tree
