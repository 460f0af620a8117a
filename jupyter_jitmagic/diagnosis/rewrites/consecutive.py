"""Neighbours in a list whose length is data, in the one form that is followed: `zip(h, h[1:])` → `zip(h[:-1], h[1:])`."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, stored, walk

_Edits = list[tuple[ast.AST | tuple[int, int], str]]


def neighbours(spot: Spot) -> Iterator[Step]:
    """Also `itertools.pairwise(h)`, and `h[i + 1] - h[i] for i in range(len(h) - 1)`."""
    if not isinstance(spot.function, ast.FunctionDef):
        return
    made = _of_data(spot)
    edits: _Edits = []
    for node in walk(spot.function) if made else ():
        match node:
            case ast.Call(
                args=[
                    ast.Name(id=first) as whole,
                    ast.Subscript(
                        value=ast.Name(id=second),
                        slice=ast.Slice(lower=ast.Constant(value=int(by)), upper=None, step=None),
                    ),
                ],
                keywords=[],
            ) if first == second and by > 0 and spot.code.src(node.func) == "zip" and spot.is_builtin("zip"):
                edits += [(whole, f"{first}[:-{by}]")] if first in made else []
            case ast.Call(func=function, args=[ast.Name(id=name)], keywords=[]) if spot.value(function) is itertools.pairwise:
                edits += [(node, f"zip({name}[:-1], {name}[1:])")] if name in made else []
            case ast.ListComp() | ast.GeneratorExp():
                edits += _by_place(spot, node, made)
    if edits:
        yield spot.step("list", *edits)


def _of_data(spot: Spot) -> set[str]:
    """What the statement makes or appends to at which the trace stopped."""
    statement = spot.code.statement(spot.node)
    names = set(stored([statement])) if isinstance(statement, ast.Assign) else set()
    for node in walk(statement):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append")):
                names.add(name)
    return names


def _by_place(spot: Spot, made: ast.ListComp | ast.GeneratorExp, names: set[str]) -> _Edits:
    """`h[i + 1] - h[i] for i in range(len(h) - 1)` → `after - before for before, after in zip(h[:-1], h[1:])`."""
    code = spot.code
    match made.generators:
        case [ast.comprehension(target=ast.Name(id=place) as target, iter=rounds, ifs=[])]:
            pass
        case _:
            return []
    for name in sorted(names & loaded([rounds])):
        first = {f"range(len({name}) - 1)": 0, f"range(0, len({name}) - 1)": 0, f"range(1, len({name}))": -1}.get(
            ast.unparse(rounds)
        )
        if first is None or not spot.is_builtin("range"):
            continue
        which = {f"{name}[{place}{by}]": add - first for by, add in ((" - 1", -1), ("", 0), (" + 1", 1))}
        reads = [each for each in walk(made.elt) if isinstance(each, ast.Subscript) and which.get(ast.unparse(each)) in (0, 1)]
        inside = {part for each in reads for part in walk(each)}
        others = [each for each in walk(made.elt) if isinstance(each, ast.Name) and each.id in (place, name)]
        if not reads or any(each not in inside for each in others):
            continue
        own = code.fresh("before", "one"), code.fresh("after", "next_one")
        edits: _Edits = [(each, own[which[ast.unparse(each)]]) for each in reads]
        return [(target, ", ".join(own)), (rounds, f"zip({name}[:-1], {name}[1:])"), *edits]
    return []


RULES: list[Rule] = [neighbours]
