"""What stands for a name before a loop that gives it its first value, in a round that may not come."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Sequence

from jupyter_jitmagic.diagnosis.rewrites.facts import fact_of
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import loaded, stored, surely_written, target_names, walk_scope


def numbers_first(spot: Spot, loop: ast.For | ast.While, stmts: Sequence[ast.stmt], indent: str) -> str:
    """Lines with a number, or a row of numbers, for each name that is read behind the loop and has its first value in these
    statements."""
    live, zeros = spot.code.live_after(loop), dict[str, str]()
    for node in walk_scope(stmts):
        for name, value in _stores(node):
            if name not in live or bound_above(spot, loop, name) or (fact := spot.fact(value)) is None:
                continue
            if fact.sort == "list" and fact.length > 0 and isinstance(value, ast.Subscript):
                zeros[name] = f"[0.0] * {fact.length}"
            elif fact.ndim == 0 and fact.dtype in _ZEROS:
                zeros[name] = _ZEROS[fact.dtype]
    return "".join(f"{indent}{name} = {zero}\n" for name, zero in zeros.items())


_ZEROS = {"f": "0.0", "i": "0", "b": "False"}


def _stores(node: ast.AST) -> list[tuple[str, ast.expr]]:
    """The names that an assignment gives values, each with its own."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return [(name, value)]
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            return [(each.id, value) for each, value in zip(targets, values, strict=True) if isinstance(each, ast.Name)]
    return []


def any_of_its_kind(spot: Spot, loop: ast.For) -> str:
    """A number of the kind of those that a loop returns, for what it has not found yet; "" where it returns anything else."""
    kinds = set()
    for returned in leaves(loop.body, ast.Return):
        assert isinstance(returned, ast.Return) and returned.value is not None
        fact = spot.fact(returned.value)
        with contextlib.suppress(ValueError):
            fact = fact or fact_of(ast.literal_eval(returned.value))
        if fact is None or fact.ndim != 0 or fact.sort not in ("number", "array"):
            return ""
        kinds.add(fact.dtype)
    return {frozenset("b"): "False", frozenset("i"): "0", frozenset("f"): "0.0", frozenset("if"): "0.0"}.get(
        frozenset(kinds), ""
    )


def returned_behind(spot: Spot, loop: ast.For | ast.While) -> str:
    """What the function returns in the end, as it is before the loop, else what the loop itself returns; "" where neither is
    known there."""
    function = spot.code.function(loop)
    if not isinstance(function, ast.FunctionDef):
        return ""
    for last in (function.body[-1], *leaves(loop.body, ast.Return)):
        if not isinstance(last, ast.Return) or last.value is None or isinstance(last.value, ast.Constant):
            continue
        if last is not function.body[-1] and not harmless([last.value]):
            continue  # it is computed before the loop, whether it is come to or not
        if all(bound_above(spot, loop, name) for name in loaded([last.value]) & set(stored(function.body))):
            return spot.code.expr(last.value)
    return ""


def bound_above(spot: Spot, loop: ast.stmt, name: str) -> bool:
    """Whether the name surely has a value when the loop begins (while it runs, the frame knows no more)."""
    function = spot.code.function(loop)
    if not isinstance(function, ast.FunctionDef):
        return False
    a = function.args
    if name in {arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs)}:
        return True
    at: ast.AST = loop
    while isinstance(at, ast.stmt) and at is not function:
        block = spot.code.block(at)
        if name in surely_written(block[: block.index(at)]):
            return True
        around = spot.code.parents[at]
        if isinstance(around, ast.For) and at in around.body and name in target_names(around.target):
            return True
        at = around
    return False
