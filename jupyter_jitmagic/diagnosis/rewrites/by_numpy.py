"""Sizes that jnp computes of what is known while tracing: Python's, math's or NumPy's functions in its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.host_sizes import Edit, is_jnp, known_parts, path_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import words

_SAME_IN_PYTHON = {"maximum": "max", "minimum": "min", "abs": "abs", "absolute": "abs"}
_INTO_ARRAY = words("array asarray")
IN_DOUBLE = (
    "NumPy rounds in double precision, where jnp rounds in single: a whole number that is made of 0.3 / 0.1 may be another"
)


def by_numpy(spot: Spot) -> Iterator[Step]:
    """`jnp.zeros(jnp.maximum(n, 1))` → `jnp.zeros(max(n, 1))`; `int(jnp.sqrt(n))` → `int(np.sqrt(n))`."""
    calls = _calls(spot)
    if not any(_takes_floats(spot, call) for call in calls):
        yield from _steps(spot, calls)


def by_numpy_in_double(spot: Spot) -> Iterator[Step]:
    """The same of Python's floats, where no block can be evaluated while tracing."""
    calls = _calls(spot)
    if any(_takes_floats(spot, call) for call in calls):
        yield from _steps(spot, calls, IN_DOUBLE)


def held_by_jax(spot: Spot) -> Iterator[Step]:
    """`jnp.split(x, PLACES)`, PLACES an array of JAX's that nothing traces → `jnp.split(x, np.asarray(PLACES))`."""
    call = spot.node
    if not isinstance(call, ast.Call) or not is_jnp(spot, call.func):
        return
    given = [(each, spot.held(each)) for each in (*call.args, *(keyword.value for keyword in call.keywords))]
    known = [each for each, value in given if isinstance(value, jax.Array) and not isinstance(value, jax.core.Tracer)]
    edits = [(each, f"{spot.np('asarray')}({spot.code.src(each)})") for each in known]
    if edits:
        yield spot.step("np", *edits)


def _calls(spot: Spot) -> list[ast.Call]:
    """The functions of jnp in what is known; none where NumPy does not have one of them."""
    known = [each for _, each in known_parts(spot)]
    return [] if any(each.foreign for each in known) else list(dict.fromkeys(call for each in known for call in each.functions))


def _steps(spot: Spot, calls: list[ast.Call], note: str = "") -> Iterator[Step]:
    if not calls:
        return
    plain, texts = _on_the_host(spot, calls, plain=True), _on_the_host(spot, calls, plain=False)
    yield spot.step("np", *plain, note=note)
    if texts != plain:
        yield spot.step("np", *texts, note=note)


def _takes_floats(spot: Spot, call: ast.Call) -> bool:
    """Whether it is given a float that Python computed, or that the call gives: jnp takes it in single precision."""
    for given in (*call.args, *(each.value for each in call.keywords)):
        fact = spot.fact(given)
        if fact is not None and (fact.sort, fact.dtype) == ("number", "f") and not isinstance(given, ast.Constant):
            return True
    return False


def _on_the_host(spot: Spot, calls: list[ast.Call], plain: bool) -> list[Edit]:
    """The edits that let NumPy do it; with `plain`, Python itself where numbers are all there is."""
    edits: list[Edit] = []
    inside: set[ast.AST] = set()
    for node in sorted(calls, key=lambda n: spot.code.span(n)):
        if node in inside:
            continue
        made = _in_python(spot, node) if plain else None
        if made is None:
            edits.append((node.func, spot.np(path_of(spot, node.func))))
            continue
        where, text, gone = made
        edits.append((where, text))
        inside.update(gone)
    return edits


def _in_python(spot: Spot, node: ast.Call) -> tuple[ast.AST, str, list[ast.AST]] | None:
    """(what is replaced, by what, calls that go with it) where Python has the function for plain numbers."""
    code, name = spot.code, path_of(spot, node.func)
    parent = code.parents[node]
    if isinstance(parent, ast.Attribute) or node.keywords:
        return None
    if name in _SAME_IN_PYTHON and all(_is_number(spot, arg) for arg in node.args):
        return node.func, _SAME_IN_PYTHON[name], []
    if name == "prod" and len(node.args) == 1:
        listed = node.args[0]
        gone: list[ast.AST] = []
        if isinstance(listed, ast.Call) and is_jnp(spot, listed.func) and path_of(spot, listed.func) in _INTO_ARRAY:
            gone = [listed]
            if len(listed.args) != 1 or listed.keywords:
                return None
            listed = listed.args[0]
        shape = listed.value if isinstance(listed, ast.Subscript) and isinstance(listed.slice, ast.Slice) else listed
        if isinstance(shape, ast.Attribute) and shape.attr == "shape":
            return node, f"{spot.module('math', 'prod')}({code.src(listed)})", gone
    if name in _INTO_ARRAY and len(node.args) == 1 and _is_number(spot, node.args[0]):
        inner = node.args[0]
        nested = isinstance(parent, ast.BinOp | ast.UnaryOp | ast.Compare | ast.Subscript)
        return node, code.operand(inner) if nested else code.expr(inner), []
    return None


def _is_number(spot: Spot, node: ast.expr) -> bool:
    """Whether an expression is a number of Python's for sure."""
    match node:
        case ast.Constant(value=int() | float()):
            return True
        case ast.Name():
            return isinstance(spot.value(node), int | float | np.number)
        case ast.Attribute(attr="size" | "ndim"):
            return True
        case ast.Attribute():
            return isinstance(spot.value(node), int | float)
        case ast.Subscript(value=ast.Attribute(attr="shape"), slice=ast.Constant()):
            return True
        case ast.Call(func=ast.Name(id="len" | "int" | "float")):
            return True
        case ast.BinOp(left=left, right=right):
            return _is_number(spot, left) and _is_number(spot, right)
        case ast.UnaryOp(operand=operand):
            return _is_number(spot, operand)
    return False


RULES: list[Rule] = [by_numpy, held_by_jax]
LAST: list[Rule] = [by_numpy_in_double]
