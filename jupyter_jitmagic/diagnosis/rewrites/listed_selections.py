"""Selections of unknown length that stand in a list or dict, one for each of unknown many values, and are read one by one.

`groups = [x[labels == g] for g in ids]`, later `sum(len(h) for h in groups)` → `sum(len(x[labels == g]) for g in ids)`:
no array holds such a list, and nobody needs it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, loaded, stored, target_names, walk

_Edits = list[tuple[ast.AST | tuple[int, int], str]]


@dataclass(frozen=True)
class _Groups:
    """A list of selections, or a dict.

    Attributes:
        name: its name.
        made: the statements that make it.
        each: the name of what a selection is made for.
        over: what it runs over.
        item: the selection.
    """

    name: str
    made: list[ast.stmt]
    each: ast.Name
    over: ast.expr
    item: ast.Subscript
    keyed: bool = False
    """It is a dict, whose keys are the values."""


def read_one_by_one(spot: Spot) -> Iterator[Step]:
    """The selection where each item of the list is read, the values it was made for where the list is run over."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef) or not isinstance(spot.node, ast.expr):
        return
    given = set(stored([spot.code.statement(spot.node)]))
    for groups in _lists(spot, function):
        asked = walk(groups.over)
        if spot.node in asked or (isinstance(groups.over, ast.Name) and groups.over.id in given):
            if edits := _reads(spot, function, groups):
                yield spot.step("mask", *edits)
            return


def _lists(spot: Spot, function: ast.FunctionDef) -> Iterator[_Groups]:
    code = spot.code
    for statement in walk(function):
        keyed = False
        match statement:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.ListComp(
                    elt=ast.Subscript() as item, generators=[ast.comprehension(target=ast.Name() as each, iter=over, ifs=[])]
                ),
            ):
                made: list[ast.stmt] = [statement]
            case ast.For(
                target=ast.Name() as each,
                iter=over,
                body=[ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item]))],
                orelse=[],
            ) if isinstance(item, ast.Subscript) and each.id not in code.live_after(statement):
                made = _with_what_is_empty(code, statement, name)
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.DictComp(
                    key=key,
                    value=ast.Subscript() as item,
                    generators=[ast.comprehension(target=ast.Name() as each, iter=over, ifs=[])],
                ),
            ) if is_key(spot, key, each.id, over) and are_distinct(function, over):
                made, keyed = [statement], True
            case ast.For(
                target=ast.Name() as each,
                iter=over,
                body=[ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=key)], value=ast.Subscript() as item)],
                orelse=[],
            ) if (
                is_key(spot, key, each.id, over) and are_distinct(function, over) and each.id not in code.live_after(statement)
            ):
                made, keyed = _with_what_is_empty(code, statement, name), True
            case _:
                continue
        mask = spot.fact(item.slice)
        if made and mask is not None and (mask.dtype, mask.ndim) == ("b", 1) and code.on_own_lines(made):
            yield _Groups(name, made, each, over, item, keyed)


def _with_what_is_empty(code: Code, loop: ast.For, name: str) -> list[ast.stmt]:
    """`groups = []` or `groups = {}` and the loop behind it that fills it; nothing where something else stands there."""
    block = code.block(loop)
    place = block.index(loop)
    match block[place - 1] if place else None:
        case ast.Assign(targets=[ast.Name(id=made)], value=ast.List(elts=[]) | ast.Dict(keys=[])) as empty if made == name:
            return [empty, loop]
    return []


def is_key(spot: Spot, key: ast.expr, each: str, over: ast.expr) -> bool:
    """Whether a key is the value itself, as a number of Python's; `int` makes one of several that are no integers."""
    if ast.unparse(key) == f"int({each})":
        fact = spot.fact(over)
        return fact is not None and fact.dtype in ("i", "u")
    return ast.unparse(key) in (each, f"float({each})", f"{each}.item()")


def are_distinct(function: ast.FunctionDef, over: ast.expr) -> bool:
    """Whether a dict gets an item of its own for each of the values."""
    if isinstance(over, ast.Name):
        made = [each for each in walk(function) if isinstance(each, ast.stmt) and over.id in stored([each])]
        match [each for each in made if not isinstance(each, ast.FunctionDef)]:
            case [ast.Assign(targets=[ast.Name()], value=value)]:
                return not isinstance(value, ast.Name) and are_distinct(function, value)
        return False
    match over:
        case ast.Call(func=ast.Attribute(attr="unique"), keywords=[]):
            return True
    return False


def _reads(spot: Spot, function: ast.FunctionDef, groups: _Groups) -> _Edits:
    """Edits of the list and of all that reads it; none where something else than its items and their number is asked for, or
    what the selections are made of may be another by then."""
    code, edits = spot.code, _Edits()
    overs: list[ast.expr] = []
    last, owner = groups.made[-1], code.parents[groups.made[-1]]
    inside = {node for statement in groups.made for node in walk(statement)}
    needs = (loaded([groups.item, groups.over]) - {groups.each.id}) | {groups.name}
    for node in walk(function):
        if node in inside or not isinstance(node, ast.Name):
            continue
        if node.id in needs and _is_changed(spot, node) and _may_come_later(spot, node, last):
            return []
        if node.id != groups.name or not isinstance(node.ctx, ast.Load):
            continue
        if node.lineno <= (last.end_lineno or last.lineno) or owner not in code.ancestors(node):
            return []
        if code.function(node) is not function:
            return []  # another function may have the names for something else
        place: int | None = None
        whole, wanted, around = _asked(spot, groups, node)
        match around:
            case ast.Call(func=ast.Name(id="len")) if spot.is_builtin("len"):
                overs.append(whole)
                continue
            case ast.Subscript(slice=ast.Name(id=key), ctx=ast.Load()) if groups.keyed and whole is node:
                spot.refuse_where_caught(KeyError)
                edits.append((around, _item(spot, groups, key)))
                continue
            case ast.Call(func=ast.Name(id="enumerate" | "zip" as how), args=args) if spot.is_builtin(how):
                place, runs = args.index(whole) + (how == "enumerate"), code.parents[around]
            case _:
                runs = around
        read = _read(spot, groups, wanted, runs, place)
        if read is None:
            return []
        edits += read
        overs.append(whole)
    region = code.region(groups.made)
    if isinstance(groups.over, ast.Name) or len(overs) < 2:
        return [(region, ""), *edits, *((node, code.expr(groups.over)) for node in overs)] if overs else []
    values = code.fresh("values", f"values_of_{groups.name}")  # asked for once
    kept = f"{code.indent(groups.made[0])}{values} = {code.expr(groups.over)}\n"
    return [(region, kept), *edits, *((node, values) for node in overs)]


def _is_changed(spot: Spot, node: ast.Name) -> bool:
    """Whether a name is bound here, or what it holds set in place."""
    around = spot.code.parents[node]
    set_in_place = isinstance(around, ast.Subscript | ast.Attribute) and isinstance(around.ctx, ast.Store)
    return not isinstance(node.ctx, ast.Load) or set_in_place


def _may_come_later(spot: Spot, node: ast.Name, made: ast.stmt) -> bool:
    """Whether what stands here may run after the list was made."""
    loops = [at for at in spot.code.ancestors(made) if isinstance(at, ast.For | ast.While)]
    return node.lineno > made.lineno or any(node in walk(each) for each in loops)


_WANTED = {"values": "item", "keys": "key", "items": "both"}


def _asked(spot: Spot, groups: _Groups, node: ast.Name) -> tuple[ast.expr, str, ast.AST]:
    """(what is run over, whether that gives items or keys or both, what stands around it)."""
    parents = spot.code.parents
    match parents[node]:
        case ast.Attribute(attr="values" | "keys" | "items" as how) as method if groups.keyed:
            call = parents[method]
            if isinstance(call, ast.Call) and call.func is method and not call.args:
                return call, _WANTED[how], parents[call]
    return node, "key" if groups.keyed else "item", parents[node]


def _read(spot: Spot, groups: _Groups, wanted: str, runs: ast.AST, place: int | None) -> _Edits | None:
    """Edits of a loop or comprehension over it, whose target it is at a place of a `zip` or `enumerate`."""
    code = spot.code
    if not isinstance(runs, ast.For | ast.comprehension):
        return None
    target: ast.expr | None = runs.target
    if place is not None:
        target = runs.target.elts[place] if isinstance(runs.target, ast.Tuple) and len(runs.target.elts) > place else None
    match target:
        case ast.Name() if wanted == "key":
            return []
        case ast.Name(id=item) if wanted == "item":
            key = ""
        case ast.Tuple(elts=[ast.Name(id=key), ast.Name(id=item)]) if wanted == "both" and key != item:
            pass
        case _:
            return None
    if isinstance(runs, ast.For):
        first = runs.body[0]
        used = loaded(runs.body) | set(stored([runs])) | code.live_after(runs)
        each = key or (groups.each.id if groups.each.id not in used else code.fresh("label", "each"))
        start = code.region([first], comments=True)[0]
        line = f"{code.indent(first)}{item} = {_item(spot, groups, each)}\n"
        return [(target, each), ((start, start), line)] if code.on_own_lines([first]) else None
    made = code.parents[runs]
    if not isinstance(made, COMPREHENSIONS) or len(made.generators) != 1:
        return None
    parts = [part for each in (*ast.iter_child_nodes(made), *runs.ifs) if each is not runs for part in walk(each)]
    names = [part for part in parts if isinstance(part, ast.Name)]
    if any(isinstance(part, (*SCOPES, *COMPREHENSIONS)) for part in parts):
        return None  # what has names of its own
    used = {name.id for name in names if name.id != item} | (set(target_names(runs.target)) - {item})
    each = key or (groups.each.id if groups.each.id not in used else code.fresh("label", "each"))
    return [(target, each), *((name, _item(spot, groups, each)) for name in names if name.id == item)]


def _item(spot: Spot, groups: _Groups, each: str) -> str:
    """The selection for a value of that name."""
    names = [node for node in walk(groups.item) if isinstance(node, ast.Name) and node.id == groups.each.id]
    return spot.code.edited(*spot.code.span(groups.item), [(*spot.code.span(node), each) for node in names])


RULES: list[Rule] = [read_one_by_one]
