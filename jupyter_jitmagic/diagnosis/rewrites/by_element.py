"""NumPy's functions that call a Python function for each element (`np.vectorize`), or take each item of an iterator
(`np.fromiter`): jnp's own, or jnp's array of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import walk

_Edit = tuple[ast.AST, str]
_KINDS = "otypes"  # the option that jnp.vectorize has not
_FLOATS = "dfD"


def vectorized(spot: Spot) -> Iterator[Step]:
    """`np.vectorize(f)(x)` → `jnp.vectorize(f)(x)`; of a function of the module that was made so, the one that it calls:
    `jnp.vectorize(f.pyfunc)(x)`."""
    call = spot.node
    if not isinstance(call, ast.Call):
        return
    made = _made_here(spot, call.func)
    if made is not None:
        edits: list[_Edit] = [(made.func, spot.jnp("vectorize"))]
        options = [each for each in made.keywords if each.arg != _KINDS]
        if len(made.args) == 1 and len(options) < len(made.keywords):
            text = ", ".join(map(spot.code.src, (*made.args, *options)))
            edits = [(made, f"{spot.jnp('vectorize')}({text})")]
        kinds = next((each.value for each in made.keywords if each.arg == _KINDS), None)
        yield from _with_kind(spot, call, edits, kinds)
    elif isinstance(call.func, ast.Name | ast.Attribute) and isinstance(spot.value(call.func), np.vectorize):
        function = spot.code.src(call.func)
        yield spot.step("vectorize", (call.func, f"{spot.jnp('vectorize')}({function}.pyfunc)"))


def _with_kind(spot: Spot, call: ast.Call, edits: list[_Edit], kinds: ast.expr | None) -> Iterator[Step]:
    """The step, and the kind of number that `otypes` asks for: of a float's it is what comes by itself."""
    match kinds:
        case ast.List(elts=[kind]) | ast.Tuple(elts=[kind]):
            text = spot.code.src(kind)
        case ast.Constant(value=str(letter)) if len(letter) == 1:
            text = spot.code.src(kinds)
        case None:
            text = ""
        case _:
            return  # of several results
    if not text or text == "float" or text.strip("\"'") in _FLOATS or ".float" in text:
        yield spot.step("vectorize", *edits)
    if text and not any(call is made for made, _ in edits):
        end = spot.code.span(call)[1]
        yield spot.step("vectorize", *edits, ((end, end), f".astype({text})"))


def _made_here(spot: Spot, func: ast.expr) -> ast.Call | None:
    """The call of `np.vectorize` in this function whose result is called."""
    if isinstance(func, ast.Name) and isinstance(spot.function, ast.FunctionDef):
        bound = [n for n in walk(spot.function) if isinstance(n, ast.Name) and n.id == func.id and isinstance(n.ctx, ast.Store)]
        statement = spot.code.statement(bound[0]) if len(bound) == 1 else None
        if isinstance(statement, ast.Assign) and statement.targets == bound:
            func = statement.value
    if isinstance(func, ast.Call) and spot.value(func.func) is np.vectorize:
        return func
    return None


def from_iterator(spot: Spot) -> Iterator[Step]:
    """`np.fromiter((g(v) for v in x), float)` → `jnp.array([g(v) for v in x], float)`."""
    call = spot.node
    if not isinstance(call, ast.Call) or spot.value(call.func) is not np.fromiter or len(call.args) not in (1, 2):
        return
    items, inside = call.args[0], spot.code.src(call.args[0])
    bare = isinstance(items, ast.GeneratorExp) and inside.startswith("(")
    text = f"[{inside[1:-1]}]" if bare else f"list({inside})"
    yield spot.step("jnp", (call.func, spot.jnp("array")), (items, text))


RULES: list[Rule] = [vectorized, from_iterator]
