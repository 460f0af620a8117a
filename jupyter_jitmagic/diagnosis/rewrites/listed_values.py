"""Dicts whose keys nobody asks for: a list of their values, which the rules for lists go on with."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code, Edit
from jupyter_jitmagic.source.names import SCOPES, loaded, stored, walk


def of_a_dict(spot: Spot) -> Iterator[Step]:
    """In `for c in range(n)`: `found[c] = v`, read by `found.values()` and `len(found)` alone → `found.append(v)`."""
    asked, code, function = spot.asked(), spot.code, spot.function
    if asked is None or not isinstance(asked[1], ast.If) or not isinstance(function, ast.FunctionDef):
        return
    loops = [at for at in code.ancestors(asked[1]) if isinstance(at, ast.For | ast.While)]
    if len(loops) != 1 or not (isinstance(loop := loops[0], ast.For) and _counts(spot, loop)):
        return
    for node in walk(loop):
        match node:
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=ast.Name(id=key)) as item]) if (
                isinstance(loop.target, ast.Name) and key == loop.target.id and code.on_own_lines([node])
            ):
                edits = _as_a_list(spot, code, function, name, item)
                if edits:
                    added = f"{name}.append({code.expr(node.value)})"
                    yield spot.step("list", (code.span(node), added), *(((start, end), text) for start, end, text in edits))
                    return


def _counts(spot: Spot, loop: ast.For) -> bool:
    """Whether each round has a number of its own."""
    match loop:
        case ast.For(target=ast.Name(id=number), iter=ast.Call(func=ast.Name(id="range"))):
            return spot.is_builtin("range") and number not in stored(loop.body)
    return False


def _as_a_list(spot: Spot, code: Code, function: ast.FunctionDef, name: str, item: ast.Subscript) -> list[Edit]:
    """The edits of every other use; none where one needs a dict."""
    edits: list[Edit] = []
    if any(isinstance(node, SCOPES) and node is not function and name in loaded([node]) for node in walk(function)):
        return []
    for node in walk(function):
        if not isinstance(node, ast.Name) or node.id != name:
            continue
        parent = code.parents[node]
        around = code.parents.get(parent)
        match parent:
            case ast.Assign(targets=[_], value=ast.Dict(keys=[]) as made):
                edits.append((*code.span(made), "[]"))
            case ast.Subscript() if parent is item:
                pass
            case ast.Attribute(attr="values") if isinstance(around, ast.Call) and not around.args:
                edits.append((*code.span(around), name))
            case ast.Call(func=ast.Name(id="len"), args=[_]) if spot.is_builtin("len"):
                pass
            case ast.If() | ast.IfExp() | ast.While() if parent.test is node:
                pass
            case ast.UnaryOp(op=ast.Not()):
                pass
            case _:
                return []
    dicts = [node for node in walk(function) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)]
    return edits if sum(code.src(node.targets[0]) == name for node in dicts) == 1 else []


RULES: list[Rule] = [of_a_dict]
