"""Where in a text the def or lambda of a code object stands."""

from __future__ import annotations

import ast
import types

from jupyter_jitmagic.source.code import Code, first_line
from jupyter_jitmagic.source.units import NoSource, Unit, parsed
from jupyter_jitmagic.usercode.places import extent


def definition_of(unit: Unit, code: types.CodeType) -> ast.AST | None:
    """The def or lambda in a unit's text whose code this is."""
    line = code.co_firstlineno - unit.first_line + 1
    lambdas = []
    for node in ast.walk(parsed(unit.text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if first_line(node) == line and node.name == code.co_name:
                return node
        elif isinstance(node, ast.Lambda) and node.lineno == line and code.co_name == "<lambda>":
            lambdas.append(node)
    if len(lambdas) < 2:
        return lambdas[0] if lambdas else None
    # several on one line: the innermost whose body holds all that is evaluated
    place = extent(code, 1 - unit.first_line)
    return next((node for node in reversed(lambdas) if place and _holds(node.body, *place)), None)


def _holds(node: ast.expr, begin: tuple[int, int], end: tuple[int, int]) -> bool:
    return (node.lineno, node.col_offset) <= begin and end <= (node.end_lineno or 0, node.end_col_offset or 0)


def definition_in(code: Code, unit: Unit, function: types.FunctionType) -> ast.FunctionDef:
    """The def of a function in the statement that holds it.

    Raises:
        NoSource: there is none.
    """
    line = function.__code__.co_firstlineno - unit.first_line + 1
    for node in ast.walk(code.tree):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__ and first_line(node) == line:
            return node
    raise NoSource(f"{function.__name__} is not in its source")
