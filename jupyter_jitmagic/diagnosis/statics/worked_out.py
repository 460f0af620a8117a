"""Sizes that a call leaves out and the function works out of its data (`if n is None: n = int(y.max()) + 1`).

Under jit they cannot be worked out; given, they can be static, and the function traces as it stands.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import operator
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.call.calls import Call, bind
from jupyter_jitmagic.diagnosis.statics.search import trace_call
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.source.names import loaded, stored
from jupyter_jitmagic.source.rebuilding import Rebuilt
from jupyter_jitmagic.source.units import NoSource, plain_function, unit_of

_SHOW = "__jitmagic_worked_out__"


def sizes_worked_out(call: Call, static: frozenset[str], seconds: float) -> tuple[tuple[str, int], ...]:
    """(parameter, whole number) of each that plain Python works out in this call, where the call traces with them given static.

    None where that is not so, or where nothing is left out.
    """
    names = _left_to_none(call)
    if not names or call.keeps_options:
        return ()
    found = _seen(call, names, seconds)
    if not found:
        return ()
    given = bind(call.fun, call.args, {**call.kwargs, **found}, call.declared)
    error, _ = trace_call(given, static | found.keys(), seconds)
    return tuple(sorted(found.items())) if error is None else ()


def _left_to_none(call: Call) -> frozenset[str]:
    """Parameters that the call leaves out, and that are None then or a word that asks for it ("auto")."""
    try:
        parameters = inspect.signature(call.fun).parameters.values()
        bound = inspect.signature(call.fun).bind(*call.args, **call.kwargs).arguments
    except (TypeError, ValueError):
        return frozenset()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    left_out = (each for each in parameters if each.kind in kinds and each.name not in bound)
    return frozenset(each.name for each in left_out if each.default is None or type(each.default) is str)


def _seen(call: Call, names: frozenset[str], seconds: float) -> dict[str, int]:
    """What plain Python gives the parameters, where that is a whole number each time."""
    function = plain_function(call.fun)
    found: dict[str, int | None] = {}

    def show(name: str, value: Any) -> None:
        new = _whole(value)
        found[name] = new if found.get(name, new) == new else None

    with contextlib.suppress(NoSource, Exception, OutOfTime, Effect):  # what was seen before it ended is known
        if function is None:
            return {}
        unit = unit_of(function.__code__, function.__globals__)
        tree = ast.parse(unit.text)
        written = set()
        for definition in ast.walk(tree):
            if isinstance(definition, ast.FunctionDef) and definition.name == function.__name__:
                written |= _shown(definition, names)
        if not written:
            return {}
        code = unit.compiled(ast.fix_missing_locations(tree), "<jitmagic sizes>")
        made = Rebuilt({unit: code}, extra={_SHOW: show}).make(call.fun)
        rerun(lambda: jax.block_until_ready(made(*fresh(call.args), **fresh(call.kwargs))), seconds)
    return {name: value for name, value in found.items() if value is not None}


def _shown(definition: ast.FunctionDef, names: frozenset[str]) -> set[str]:
    """Put after each statement of the body that stores one of the names, or its value under another one, what shows it; the
    names that are shown."""
    body: list[ast.stmt] = []
    written: set[str] = set()
    for statement in definition.body:
        body.append(statement)
        here = {name: name for name in names.intersection(stored([statement]))} | _stood_for(statement, names)
        written |= here.keys()
        for name, local in sorted(here.items()):
            shown = ast.Call(ast.Name(_SHOW, ast.Load()), [ast.Constant(name), ast.Name(local, ast.Load())], [])
            body.append(ast.copy_location(ast.Expr(shown), statement))
    definition.body = body
    return written


def _stood_for(statement: ast.stmt, names: frozenset[str]) -> dict[str, str]:
    """Which of these is what another name holds where it is given: by `k = y.max() + 1 if n is None else n`, or in the branches
    of an `if`."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=local)], value=ast.IfExp(test=test, body=body, orelse=orelse)):
            sides = {local: [body, orelse]}
        case ast.If(test=test, body=[*_, ast.Assign(targets=[ast.Name(id=local)])], orelse=[_, *_] as others):
            ends = [branch[-1] for branch in (statement.body, others)]
            written = [ast.unparse(end.targets[0]) for end in ends if isinstance(end, ast.Assign)]
            sides = {local: [end.value for end in ends if isinstance(end, ast.Assign)]} if written == [local, local] else {}
        case _:
            return {}
    asked = names.intersection(loaded([test]))
    return {
        side.id: local for local, values in sides.items() for side in values if isinstance(side, ast.Name) and side.id in asked
    }


def _whole(value: Any) -> int | None:
    """The whole number that a value is, an array of one among them; None of others."""
    try:
        return None if isinstance(value, bool) or np.ndim(value) else operator.index(value)
    except TypeError:
        return None
