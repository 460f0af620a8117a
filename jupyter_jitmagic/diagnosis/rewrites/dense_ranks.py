"""Places among the different values of an array: `levels = sorted(set(x.tolist()))`, `levels.index(v)` → `jnp.unique(x)`, asked
where it is equal to v; so of a dict of those places, `rank = {v: i for i, v in enumerate(levels)}`, `rank[v]`."""

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
            numbered = _numbered(value)
            if bound_once(function, target.id) is not value or (made := _different(spot, numbered or value)) is None:
                continue
            array, text = made
            asked = _looked_up(spot, function, target.id, target.id) if numbered else _questions(spot, function, target.id)
            caught = any(isinstance(each, ast.Try) for each in walk(function))  # what is not there may be handled
            edits = [] if caught or _is_changed(spot, function, target.id) else list(asked)
            if edits:
                spot.refuse_where_caught(ValueError, KeyError)
                fact = spot.fact(array)
                excludes = _NAN if fact is None or fact.dtype == "f" else {}
                yield spot.step("argmax", (value, text), *edits, excludes=excludes)
                return


def _is_changed(spot: Spot, function: ast.FunctionDef, name: str) -> bool:
    """Whether an item of a list is set or deleted, or a method may do so."""
    around = [spot.code.parents[each] for each in walk(function) if isinstance(each, ast.Name) and each.id == name]
    methods = {each.attr for each in around if isinstance(each, ast.Attribute)}
    return bool(methods - {"index"}) or any(
        isinstance(each, ast.Subscript) and not isinstance(each.ctx, ast.Load) for each in around
    )


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
            ast.Call(
                func=ast.Attribute(value=ast.Call(func=func, args=[array], keywords=[]), attr="tolist"), args=[], keywords=[]
            )
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
            case ast.Call(func=ast.Attribute(value=ast.Name(id=asked), attr="index"), args=[item], keywords=[]) if (
                asked == name
            ):
                yield node, f"{argmax}({name} == {code.operand(item)})"
            case ast.Subscript(
                value=ast.Subscript(
                    value=ast.Call(func=func, args=[ast.Compare(left=ast.Name(id=asked), ops=[ast.Eq()]) as test], keywords=[]),
                    slice=ast.Constant(value=0),
                ),
                slice=ast.Constant(value=0),
            ) if asked == name and ("numpy.where" in host_names(spot, func) or code.src(func) == spot.jnp("where")):
                yield node, f"{argmax}({code.expr(test)})"
            case ast.Assign(targets=[ast.Name(id=table)], value=value) if (
                isinstance(listed := _numbered(value), ast.Name)
                and listed.id == name
                and bound_once(function, table) is value
                and code.on_own_lines([node])
                and (looked_up := _looked_up(spot, function, table, name))
            ):
                yield from ((code.region([node]), ""), *looked_up)


def _numbered(value: ast.expr) -> ast.expr | None:
    """What `{v: i for i, v in enumerate(levels)}` numbers."""
    match value:
        case ast.DictComp(
            key=ast.Name(id=key),
            value=ast.Name(id=place),
            generators=[
                ast.comprehension(
                    target=ast.Tuple(elts=[ast.Name(id=first), ast.Name(id=second)]),
                    iter=ast.Call(func=ast.Name(id="enumerate"), args=[listed], keywords=[]),
                    ifs=[],
                )
            ],
        ) if (place, key) == (first, second):
            return listed
    return None


def _looked_up(spot: Spot, function: ast.FunctionDef, table: str, name: str) -> list[_Edit]:
    """Each item of the table of places, as a question of the array of that name; none where more is asked of the table."""
    code, found = spot.code, list[_Edit]()
    for use in walk(function):
        if isinstance(use, ast.Name) and use.id == table and isinstance(use.ctx, ast.Load):
            match code.parents[use]:
                case ast.Subscript(value=value, slice=item, ctx=ast.Load()) as each if value is use:
                    found.append((each, f"{spot.jnp('argmax')}({name} == {code.operand(item)})"))
                case _:
                    return []
    return found


RULES: list[Rule] = [places_asked]
