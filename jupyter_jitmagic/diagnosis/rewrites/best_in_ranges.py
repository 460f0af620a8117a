"""The best number of a range whose bounds are data: `max(range(k, n), key=lambda r: abs(M[r, k]))` in a compiled loop.

As an array its keys have no known length, so that a loop finds it, in which Python's order of equal ones is kept.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.carrying import Range
from jupyter_jitmagic.diagnosis.rewrites.inlining import in_another_scope
from jupyter_jitmagic.diagnosis.rewrites.naming import renamed
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step

_SIGNS = {"max": ">", "min": "<", "argmax": ">", "argmin": "<"}


def found_by_a_loop(spot: Spot, numbers: ast.Call) -> Iterator[Step]:
    """`p = max(range(k, n), key=f)` → a loop before the statement; so for `jnp.argmax(jnp.asarray([f(r) for r in …]))`, which
    another rule makes of it."""
    code, bounds = spot.code, Range(spot, numbers)
    asked = _asked(spot, numbers)
    if asked is None or bounds.step != 1:
        return
    call, which, each, key = asked
    statement = code.statement(call)
    tested = isinstance(statement, ast.If) and not code.is_elif(statement) and call in ast.walk(statement.test)
    plain = isinstance(statement, ast.Assign | ast.Return | ast.AugAssign | ast.Expr)
    if not (tested or plain) or not code.on_own_lines([statement]) or in_another_scope(code, call, statement):
        return
    number, best = code.fresh("number", "place"), code.fresh("best", f"{which}_place")
    most, value = code.fresh("most" if which.endswith("max") else "least", "best_key"), code.fresh("value", "key")
    item = renamed(spot, key, {each: number}) if each else f"{code.src(key)}({number})"
    indent, first = code.indent(statement), bounds.low_operand
    test = f"{value} {_SIGNS[which]} {most}"
    fact = spot.fact(key)
    if f".{which}(" in spot.unit.text and (fact is None or fact.dtype == "f"):  # the user's own: it takes the first NaN
        test += f" or ({value} != {value} and {most} == {most})"
    lines = (
        f"{indent}{number} = {bounds.low}\n"
        f"{indent}{best}, {most} = {number}, {item}\n"
        f"{indent}for {number} in range({first} + 1, {bounds.high}):\n"
        f"{indent}    {value} = {item}\n"
        f"{indent}    if {test}:\n"
        f"{indent}        {best}, {most} = {number}, {value}\n"
    )
    place = best if which in ("max", "min") or first == "0" else f"({best} - {first})"  # argmax counts from the first one
    start = code.region([statement])[0]
    yield spot.step("best", ((start, start), lines), (call, place))


def _asked(spot: Spot, numbers: ast.Call) -> tuple[ast.Call, str, str, ast.expr] | None:
    """(the call that finds the number, its name, the variable of the key, the key or, of no variable, its function)."""
    code = spot.code
    match code.parents[numbers]:
        case (
            ast.Call(
                func=ast.Name(id="max" | "min" as which), args=[only], keywords=[ast.keyword(arg="key", value=key)]
            ) as call
        ) if only is numbers and spot.is_builtin(which):
            match key:
                case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=each)], defaults=[]), body=body):
                    return call, which, each, body
                case ast.Name() | ast.Attribute():
                    return call, which, "", key
        case ast.comprehension(target=ast.Name(id=each), ifs=[]) as loop:
            match code.parents[loop]:
                case ast.ListComp(elt=key, generators=[_]) as listed:
                    array = code.parents[listed]
                    found = code.parents[array]
                    if _is_of(spot, array, listed, "asarray", "array") and _is_of(spot, found, array, "argmax", "argmin"):
                        assert isinstance(found, ast.Call) and isinstance(found.func, ast.Attribute)
                        return found, found.func.attr, each, key
    return None


def _is_of(spot: Spot, call: ast.AST, given: ast.AST, *names: str) -> bool:
    """Whether it calls one of these functions of jnp with nothing but what is given."""
    match call:
        case ast.Call(func=ast.Attribute(value=module, attr=name), args=[only], keywords=[]):
            return only is given and name in names and is_module(spot, module)
    return False
