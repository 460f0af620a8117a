"""A container, or a part of one, that data chooses to be changed: `(gains if v > 0 else losses).append(v)`.

Compiled code knows no containers to choose between; a choice of what is done is met by the rules for branches.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, stored, walk

_CONTAINERS = (list, dict, set)


def each_way(spot: Spot) -> Iterator[Step]:
    """`(a if t else b).append(v)` → `if t: a.append(v)`, `else: b.append(v)`; `d["hi" if t else "lo"] += 1` alike."""
    code = spot.code
    for choice in choices_around(spot):
        statement = code.statement(choice)
        if not code.on_own_lines([statement]):
            return
        if isinstance(statement, ast.Assign) and statement.value is choice:
            yield from _in_its_place(spot, statement, choice)
        elif _is_changed(spot, choice, statement):
            yield both_ways(spot, statement, choice)


def choices_around(spot: Spot) -> Iterator[ast.IfExp]:
    """The choices that ask for the value at the place, perhaps by one within their test."""
    for at in (spot.node, *spot.code.ancestors(spot.node)):
        if isinstance(at, ast.stmt | ast.Lambda | ast.comprehension):
            return
        if isinstance(at, ast.IfExp) and any(each is spot.node for each in (at, *walk(at.test))):
            yield at


def _is_changed(spot: Spot, choice: ast.IfExp, statement: ast.stmt) -> bool:
    """Whether the statement changes the container that is chosen, or what stands in one under the name that is chosen."""
    code = spot.code
    match code.parents[choice]:
        case ast.Attribute() as method:
            call = code.parents[method]
            alone = isinstance(statement, ast.Expr) and statement.value is call
            return alone and isinstance(call, ast.Call) and call.func is method and _are_containers(spot, choice)
        case ast.Subscript(value=held, slice=inside) if inside is choice:
            names = all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in (choice.body, choice.orelse))
            return names and isinstance(spot.value(held), dict) and isinstance(statement, ast.Expr | ast.AugAssign | ast.Assign)
    return False


def _are_containers(spot: Spot, choice: ast.IfExp) -> bool:
    return all(isinstance(spot.value(each), _CONTAINERS) for each in (choice.body, choice.orelse))


def both_ways(spot: Spot, statement: ast.stmt, choice: ast.IfExp) -> Step:
    """The statement in two branches, with either side of a choice that stands in it."""
    code = spot.code
    indent = code.indent(statement)
    (start, end), (left, right) = code.span(statement), code.with_parentheses(choice)

    def with_one(side: ast.expr) -> str:
        return f"{indent}    {code.text[start:left]}{code.operand(side)}{code.text[right:end]}\n"

    test, line = code.src(choice.test), ""
    if isinstance(choice.test, ast.IfExp):  # a choice of its own, of Python's perhaps: `v >= t if inclusive else v > t`
        test = code.fresh("chosen", "is_chosen")
        line = f"{indent}{test} = {code.src(choice.test)}\n"
    text = f"{line}{indent}if {test}:\n{with_one(choice.body)}{indent}else:\n{with_one(choice.orelse)}"
    return spot.step("if", (code.region([statement]), text))


def _in_its_place(spot: Spot, statement: ast.Assign, choice: ast.IfExp) -> Iterator[Step]:
    """`side = a if t else b` and `side.append(v)` further down → `(a if t else b).append(v)`."""
    code = spot.code
    match statement.targets:
        case [ast.Name(id=name)] if _are_containers(spot, choice):
            pass
        case _:
            return
    named = [node for node in code.of_kind(code.tree, ast.Name) if node.id == name]
    reads = [node for node in named if isinstance(node.ctx, ast.Load)]
    block = code.block(statement)
    behind = block[block.index(statement) + 1 :]
    if len(named) != 2 or len(reads) != 1 or code.statement(reads[0]) not in behind:
        return
    until = behind[: behind.index(code.statement(reads[0]))]
    if loaded([choice]) & set(stored(until)) or not isinstance(code.parents[reads[0]], ast.Attribute):
        return
    yield spot.step("if", (code.region([statement]), ""), (reads[0], f"({code.src(choice)})"))


def lists_by_name(spot: Spot) -> Iterator[Step]:
    """`d = {"hi": [], "lo": []}` and `if t: d["hi"].append(v)` → `hi = []`, `lo = []` and `if t: hi.append(v)`, where
    no more than these lists is asked of it."""
    code = spot.code
    choice = next((each for each in code.ancestors(spot.node) if isinstance(each, ast.stmt)), None)
    if not isinstance(choice, ast.If):
        return
    for node in walk(choice):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Subscript(value=ast.Name(id=name), slice=ast.Constant()), attr="append")
            ):
                if step := _apart(spot, name):
                    yield step
                    return


def _apart(spot: Spot, name: str) -> Step | None:
    """The lists of a dict under names of their own."""
    code = spot.code
    named = [node for node in code.of_kind(code.tree, ast.Name) if node.id == name]
    made, *asked = sorted(named, key=lambda node: code.span(node)[0])
    statement = code.statement(made)
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)], value=ast.Dict(keys=keys, values=values)) if target == name:
            lists = {str(each.value): value for each, value in zip(keys, values, strict=True) if isinstance(each, ast.Constant)}
        case _:
            return None
    empty = all(isinstance(each, ast.List) and not each.elts for each in lists.values())
    if len(lists) != len(keys) or not empty or not all(key.isidentifier() for key in lists):
        return None
    places = [code.parents[each] for each in asked]
    names = {key: code.fresh(key, f"{name}_{key}") for key in lists}
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    for place in places:
        match place:
            case ast.Subscript(slice=ast.Constant(value=key), ctx=ast.Load()) if key in lists:
                edits.append((place, names[key]))
            case _:
                return None
    indent = code.indent(statement)
    lines = "".join(f"{indent}{each} = []\n" for each in names.values())
    return spot.step("names", (code.region([statement]), lines), *edits)


RULES: list[Rule] = [each_way, lists_by_name]
