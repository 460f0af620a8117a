"""Places among the different values of an array: `levels = sorted(set(x.tolist()))`, `levels.index(v)` → `jnp.unique(x)`, asked where
it is equal to v; so of a dict of those places, `rank = {v: i for i, v in enumerate(levels)}`, `rank[v]`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.host_functions import host_names
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import bound_once, bound_to, walk, walk_scope

_NAN = {"nan": "NaN, of which a set holds each"}
_Edit = tuple[ast.AST | tuple[int, int], str]


def places_asked(spot: Spot) -> Iterator[Step]:
    """All questions for places among what an array holds, at once."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    for statement in walk_scope(function.body):
        for target, value in bound_to(statement) if isinstance(statement, ast.Assign) else ():
            if bound_once(function, target.id) is not value or (made := _different(spot, value)) is None:
                continue
            array, text = made
            edits = list(_questions(spot, function, target.id))
            if edits:
                fact = spot.fact(array)
                excludes = _NAN if fact is None or fact.dtype == "f" else {}
                yield spot.step("unique", (value, text), *edits, excludes=excludes)
                return


def _different(spot: Spot, value: ast.expr) -> tuple[ast.expr, str] | None:
    """(the array, its different values in order) of an expression that lists them."""
    turned = ""
    match value:
        case ast.Call(
            func=ast.Name(id="sorted"),
            args=[ast.Call(func=ast.Name(id="set"), args=[items], keywords=[])],
            keywords=[] | [ast.keyword(arg="reverse", value=ast.Constant(value=bool()))] as given,
        ) if spot.is_builtin("sorted") and spot.is_builtin("set"):
            turned = "[::-1]" if given and isinstance(at := given[0].value, ast.Constant) and at.value else ""
            match items:
                case ast.Call(func=ast.Attribute(value=array, attr="tolist"), args=[], keywords=[]):
                    pass
                case _:
                    return None
        case (
            ast.Call(func=ast.Attribute(value=ast.Call(func=func, args=[array], keywords=[]), attr="tolist"), args=[], keywords=[])
            | ast.Call(func=func, args=[array], keywords=[])
        ) if "numpy.unique" in host_names(spot, func) or spot.code.src(func) == spot.jnp("unique"):
            pass
        case _:
            return None
    fact = spot.fact(array)
    if fact is None or fact.ndim != 1:
        return None
    return array, f"{spot.jnp('unique')}({spot.code.src(array)}){turned}"


def _questions(spot: Spot, function: ast.FunctionDef, name: str) -> Iterator[_Edit]:
    """What asks for a place in the list of that name."""
    code, argmax = spot.code, spot.jnp("argmax")
    for node in walk(function):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=asked), attr="index"), args=[item], keywords=[]) if asked == name:
                yield node, f"{argmax}({name} == {code.operand(item)})"
            case ast.Subscript(
                value=ast.Subscript(
                    value=ast.Call(
                        func=func, args=[ast.Compare(left=ast.Name(id=asked), ops=[ast.Eq()]) as test], keywords=[]
                    ),
                    slice=ast.Constant(value=0),
                ),
                slice=ast.Constant(value=0),
            ) if asked == name and ("numpy.where" in host_names(spot, func) or code.src(func) == spot.jnp("where")):
                yield node, f"{argmax}({code.expr(test)})"
            case ast.Assign(
                targets=[ast.Name(id=table)],
                value=ast.DictComp(
                    key=ast.Name(id=key),
                    value=ast.Name(id=place),
                    generators=[
                        ast.comprehension(
                            target=ast.Tuple(elts=[ast.Name(id=first), ast.Name(id=second)]),
                            iter=ast.Call(func=ast.Name(id="enumerate"), args=[ast.Name(id=listed)], keywords=[]),
                            ifs=[],
                        )
                    ],
                ),
            ) if listed == name and (place, key) == (first, second) and bound_once(function, table) is node.value:
                uses = [each for each in walk(function) if isinstance(each, ast.Name) and each.id == table and each is not node.targets[0]]
                around = [code.parents[each] for each in uses]
                if code.on_own_lines([node]) and all(
                    isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Load) and each.value is use
                    for each, use in zip(around, uses, strict=True)
                ):
                    yield code.region([node]), ""
                    for each in around:
                        if isinstance(each, ast.Subscript):
                            yield each, f"{argmax}({name} == {code.operand(each.slice)})"


RULES: list[Rule] = [places_asked]
