"""Whole numbers that the function itself makes floats, as it asks what kind they are: `if isinstance(a, int): a = float(a)`.

A tracer is no `int` of Python's: jit takes a whole number as it is, and plain Python's results are floats.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import jax

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import walk_scope

_FLOATS = "where {} is an array of whole numbers it makes floats of it, and plain Python does not"


def made_floats(spot: Spot) -> Iterator[Step]:
    """`if isinstance(a, int): a = float(a)` → `a = a * 1.0`, a a number of Python's that is traced: a float stays as it is."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef) or not (spot.is_builtin("isinstance") and spot.is_builtin("float")):
        return
    made = [(node, name) for node in walk_scope(function.body) if (name := _made_float(spot, node)) and _is_pythons(spot, name)]
    if made:
        edits = [(node, f"{name} = {name} * 1.0") for node, name in made]
        yield spot.step("jnp", *edits, excludes={"own arrays": _FLOATS.format(" or ".join(dict.fromkeys(n for _, n in made)))})


def _made_float(spot: Spot, node: ast.AST) -> str:
    """The variable that a statement makes a float where it is a whole number of Python's; "" for other statements."""
    match node:
        case ast.If(test=test, body=[ast.Assign(targets=[ast.Name(id=name)], value=value)], orelse=[]):
            pass
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.IfExp(test=test, body=value, orelse=ast.Name(id=other))) if (
            other == name
        ):
            pass
        case _:
            return ""
    match test, value:
        case (
            ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=asked), kinds]),
            ast.Call(func=ast.Name(id="float"), args=[ast.Name(id=given)], keywords=[]),
        ) if asked == given == name and _are_pythons(spot, kinds):
            return name
    return ""


def _are_pythons(spot: Spot, kinds: ast.expr) -> bool:
    """Whether it asks for Python's whole numbers, for floats beside them perhaps, and for no array."""
    asked = [spot.value(each) for each in (kinds.elts if isinstance(kinds, ast.Tuple) else [kinds])]
    return int in asked and all(each in (int, float, bool) for each in asked)


def _is_pythons(spot: Spot, name: str) -> bool:
    """Whether the variable is a number of Python's that is traced."""
    held = spot.locals.get(name)
    return isinstance(held, jax.core.Tracer) and held.ndim == 0 and held.weak_type


RULES: list[Rule] = [made_floats]
