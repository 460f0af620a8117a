"""Arrays of nothing: a compiled loop or branch is traced even where plain Python runs no line of it, as it has no rounds there.

`x = lax.fori_loop(0, len(d), body, x)` → the same below `if len(d) > 0:`; `lax.cond(p, there, lambda: v)` → `v if len(d) == 0
else lax.cond(…)`. A length is no data: Python asks for it while it traces.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import bound_in, walk

_OF_NOTHING = re.compile(r"out of bounds for axis (\d+) with size 0|zero-size array to reduction")
_LOOPS = {"fori_loop": 3, "while_loop": 2}
"""Which argument of each is what its rounds begin with."""


def asked_before(spot: Spot) -> Iterator[Step]:
    """Python's question around the loop or the choice in whose function the trace stopped, if it stopped at an array of
    nothing that is from outside that function."""
    inner, code = spot.function, spot.code
    if inner is None or not _OF_NOTHING.search(str(spot.error)):
        return
    empty = _empty(spot, bound_in(inner))
    call = _given_to(spot, inner)
    if not empty or call is None:
        return
    statement, name = code.statement(call), ast.unparse(call.func).rpartition(".")[2]
    match statement:
        case ast.Assign(targets=[target], value=value) if value is call and name in _LOOPS and len(call.args) > _LOOPS[name]:
            if code.is_elif(statement) or not code.on_own_lines([statement]):
                return
            indent, begin = code.indent(statement), code.src(call.args[_LOOPS[name]]).strip("()")
            region = code.region([statement])
            lines = code.text[region[0] : region[1]].splitlines(keepends=True)
            text = f"{indent}if {empty} > 0:\n" + "".join(f"    {line}" for line in lines)
            if begin != code.src(target).strip("()"):
                text += f"{indent}else:\n{indent}    {code.src(target)} = {code.src(call.args[_LOOPS[name]])}\n"
            yield spot.step("size", (region, text))
        case _ if name == "cond" and len(call.args) > 2 and (other := _other_side(spot, call, inner)):
            bare = isinstance(statement, ast.Assign | ast.Return) and statement.value is call
            text = f"{other} if {empty} == 0 else {code.src(call)}"
            yield spot.step("size", (call, text if bare else f"({text})"))


def _empty(spot: Spot, own: set[str]) -> str:
    """How long the array is along the axis of which there is nothing, in source; "" where it is not from outside."""
    for node in walk(spot.node):
        if isinstance(node, ast.Name) and node.id not in own:
            shape = attribute(spot.value(node), "shape")
            if isinstance(shape, tuple) and 0 in shape:
                return f"len({node.id})" if shape[0] == 0 else f"{node.id}.shape[{shape.index(0)}]"
    return ""


def _given_to(spot: Spot, inner: ast.AST) -> ast.Call | None:
    """The one call that is given a function."""
    code = spot.code
    if isinstance(inner, ast.Lambda):
        parent = code.parents[inner]
        return parent if isinstance(parent, ast.Call) and inner in parent.args else None
    around = code.function(inner)
    name = getattr(inner, "name", "")
    if around is None or not name:
        return None
    named = [node for node in walk(around) if isinstance(node, ast.Name) and node.id == name]
    parents = [code.parents[node] for node in named]
    only = parents[0] if len(parents) == 1 else None
    return only if isinstance(only, ast.Call) and named[0] in only.args else None


def _other_side(spot: Spot, call: ast.Call, inner: ast.AST) -> str:
    """What the other function of a choice gives, in source; "" where that is a call of more than a name."""
    sides, given = call.args[1:3], [spot.code.src(each) for each in call.args[3:]]
    others = [side for side in sides if side is not inner and getattr(side, "id", "") != getattr(inner, "name", None)]
    match others:
        case [ast.Name(id=name)]:
            return f"{name}({', '.join(given)})"
        case [ast.Lambda(args=args, body=body)] if [each.arg for each in args.args] == given:
            return spot.code.operand(body)
    return ""


RULES: list[Rule] = [asked_before]
