"""Elements that are read of an array of nothing, in a compiled loop or branch, which is traced even where plain Python runs no
line of it.

`x = lax.fori_loop(0, len(d), body, x)` → the same below `if d.size:`; `lax.cond(p, there, lambda: v)` → `lax.cond(…) if d.size
else v`. A size is no data: Python asks for it while it traces.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.empties import GUARD, is_called, is_empty
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import bound_in, walk

_LOOPS = {"fori_loop": 3, "while_loop": 2}
"""Which argument of each is what its rounds begin with."""


def asked_before(spot: Spot) -> Iterator[Step]:
    """Python's question around the loop or the choice in whose function the trace stopped, if it stopped at an element of an
    array of nothing that is from outside that function."""
    inner, code = spot.function, spot.code
    if inner is None or not isinstance(spot.error, IndexError) or "with size 0" not in str(spot.error):
        return
    if _is_given_nothing(spot):
        return
    own = bound_in(inner)
    names = [node.id for node in walk(spot.node) if isinstance(node, ast.Name) and node.id not in own]
    empty = next((name for name in names if is_empty(spot.value(ast.Name(name, ast.Load())))), None)
    call = _given_to(spot, inner)
    if empty is None:
        call, empty = _loop_with_buffer(spot)
    if empty is None or call is None:
        return
    statement = code.statement(call)
    loop = next((place for name, place in _LOOPS.items() if is_called(spot, call, name)), len(call.args))
    match statement:
        case ast.Assign(targets=[target], value=value) if value is call and loop < len(call.args):
            if code.is_elif(statement) or not code.on_own_lines([statement]):
                return
            indent, begin = code.indent(statement), call.args[loop]
            text = f"{indent}if {empty}.size:\n{code.block_text([statement], f'{indent}    ')}"
            if ast.unparse(begin) != ast.unparse(target):
                text += f"{indent}else:\n{indent}    {code.src(target)} = {code.expr(begin)}\n"
            yield spot.step(GUARD, (code.region([statement], comments=True), text))
        case _ if is_called(spot, call, "cond") and not call.keywords and (other := _other_side(spot, call, inner)):
            text = f"{code.src(call)} if {empty}.size else {other}"
            bare = isinstance(statement, ast.Assign | ast.Return) and statement.value is call
            yield spot.step(GUARD, (call, text if bare else f"({text})"))


def _loop_with_buffer(spot: Spot) -> tuple[ast.Call | None, str | None]:
    """The loop around the place, and the buffer without elements that it carries and to which that place would add one."""
    names = {node.id for node in walk(spot.node) if isinstance(node, ast.Name) and is_empty(spot.locals.get(node.id))}
    for around in spot.code.ancestors(spot.node):
        call = _given_to(spot, around) if isinstance(around, ast.FunctionDef) else None
        if call is None or not is_called(spot, call, "fori_loop") or len(call.args) <= _LOOPS["fori_loop"]:
            continue
        begin = call.args[_LOOPS["fori_loop"]]
        carried = begin.elts if isinstance(begin, ast.Tuple) else [begin]
        return call, next((each.id for each in carried if isinstance(each, ast.Name) and each.id in names), None)
    return None, None


def _is_given_nothing(spot: Spot) -> bool:
    """Whether the call has an array without elements: of such a call it is said that the rewrite fails, as few make it."""
    outermost = [spot, *spot.callers()][-1]
    if not isinstance(outermost.function, ast.FunctionDef):
        return False
    return any(is_empty(outermost.locals.get(each.arg)) for each in walk(outermost.function.args) if isinstance(each, ast.arg))


def _given_to(spot: Spot, inner: ast.AST) -> ast.Call | None:
    """The one call that is given a function."""
    code = spot.code
    if isinstance(inner, ast.Lambda):
        named: list[ast.AST] = [inner]
    else:
        around, name = code.function(inner), getattr(inner, "name", "")
        named = [node for node in walk(around) if isinstance(node, ast.Name) and node.id == name] if around is not None else []
    parent = code.parents[named[0]] if len(named) == 1 else None
    return parent if isinstance(parent, ast.Call) and named[0] in parent.args else None


def _other_side(spot: Spot, call: ast.Call, inner: ast.AST) -> str:
    """What the other function of a choice gives, in source; "" where that is a call of more than a name."""
    given = [spot.code.src(each) for each in call.args[3:]]
    others = [side for side in call.args[1:3] if side is not inner and getattr(side, "id", "") != getattr(inner, "name", None)]
    match others:
        case [ast.Name(id=name)]:
            return f"{name}({', '.join(given)})"
        case [ast.Lambda(args=args, body=body)] if [each.arg for each in args.args] == given:
            return spot.code.operand(body)
    return ""


RULES: list[Rule] = [asked_before]
