"""Selections of unknown length that stand in a list, one for each of unknown many values, and are read one by one.

`groups = [x[labels == g] for g in ids]`, later `sum(len(h) for h in groups)` → `sum(len(x[labels == g]) for g in ids)`:
no array holds such a list, and nobody needs it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, loaded, stored, target_names, walk

_Edits = list[tuple[ast.AST | tuple[int, int], str]]


@dataclass(frozen=True)
class _Groups:
    """A list of selections.

    Attributes:
        name: the list's name.
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
                block = code.block(statement)
                made = block[max(block.index(statement) - 1, 0) : block.index(statement) + 1]
                match made[0]:
                    case ast.Assign(targets=[ast.Name(id=empty)], value=ast.List(elts=[])) if empty == name:
                        pass
                    case _:
                        continue
            case _:
                continue
        mask = spot.fact(item.slice)
        if mask is not None and (mask.dtype, mask.ndim) == ("b", 1) and code.on_own_lines(made):
            yield _Groups(name, made, each, over, item)


def _reads(spot: Spot, function: ast.FunctionDef, groups: _Groups) -> _Edits:
    """Edits of the list and of all that reads it; none where something else than its items and their number is asked for, or
    what the selections are made of may be another by then."""
    code, edits = spot.code, _Edits()
    overs: list[ast.Name] = []
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
        parent = code.parents[node]
        match parent:
            case ast.Call(func=ast.Name(id="len")) if spot.is_builtin("len"):
                overs.append(node)
                continue
            case ast.Call(func=ast.Name(id="enumerate" | "zip" as how), args=args) if spot.is_builtin(how):
                place, runs = args.index(node) + (how == "enumerate"), code.parents[parent]
            case _:
                place, runs = None, parent
        read = _read(spot, groups, node, runs, place)
        if not read:
            return []
        edits += read
        overs.append(node)
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


def _read(spot: Spot, groups: _Groups, node: ast.Name, runs: ast.AST, place: int | None) -> _Edits:
    """Edits of a loop or comprehension over the list, whose target it is at a place of a `zip` or `enumerate`."""
    code = spot.code
    if not isinstance(runs, ast.For | ast.comprehension):
        return []
    target: ast.expr | None = runs.target
    if place is not None:
        target = runs.target.elts[place] if isinstance(runs.target, ast.Tuple) and len(runs.target.elts) > place else None
    if not isinstance(target, ast.Name):
        return []
    if isinstance(runs, ast.For):
        first = runs.body[0]
        used = loaded(runs.body) | set(stored([runs])) | code.live_after(runs)
        each = groups.each.id if groups.each.id not in used else code.fresh("label", "each")
        start = code.region([first], comments=True)[0]
        line = f"{code.indent(first)}{target.id} = {_item(spot, groups, each)}\n"
        return [(target, each), ((start, start), line)] if code.on_own_lines([first]) else []
    made = code.parents[runs]
    if not isinstance(made, COMPREHENSIONS) or len(made.generators) != 1:
        return []
    parts = [part for each in (*ast.iter_child_nodes(made), *runs.ifs) if each is not runs for part in walk(each)]
    names = [part for part in parts if isinstance(part, ast.Name)]
    if any(isinstance(part, (*SCOPES, *COMPREHENSIONS)) for part in parts):
        return []  # what has names of its own
    used = {name.id for name in names if name.id != target.id} | (set(target_names(runs.target)) - {target.id})
    each = groups.each.id if groups.each.id not in used else code.fresh("label", "each")
    return [(target, each), *((name, _item(spot, groups, each)) for name in names if name.id == target.id)]


def _item(spot: Spot, groups: _Groups, each: str) -> str:
    """The selection for a value of that name."""
    names = [node for node in walk(groups.item) if isinstance(node, ast.Name) and node.id == groups.each.id]
    return spot.code.edited(*spot.code.span(groups.item), [(*spot.code.span(node), each) for node in names])


RULES: list[Rule] = [read_one_by_one]
