"""Where every way through a choice appends one element to a list, the choice is of the element: the list grows by one a round,
whatever data decides, and so does the array in its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import SCOPES, walk_scope


def appended_once(spot: Spot) -> Iterator[Step]:
    """`if t: out.append(a)`, `else: out.append(b)` in a loop → `item = a`, `item = b` and `out.append(item)` behind the choice;
    also of a search: `for …: if t: out.append(a); break`, `else: out.append(b)`."""
    code = spot.code
    for statement in _choices_around(spot):
        for name in _appended_to([statement]):
            appends = _ends([statement], name)
            if appends is None or len(appends) < 2 or len(appends) != _count([statement], name):
                continue
            item = code.fresh("item", f"item_of_{name}")
            edits: list[tuple[ast.AST | tuple[int, int], str]] = [
                (each, f"{item} = {code.expr(_value(each))}") for each in appends
            ]
            behind = code.region([statement])[1]
            edits.append(((behind, behind), f"{code.indent(statement)}{name}.append({item})\n"))
            yield spot.step("list", *edits)
            return


def _choices_around(spot: Spot) -> list[ast.stmt]:
    """The statements with alternatives around the place that stand in the body of a loop, outermost first."""
    code, found = spot.code, list[ast.stmt]()
    for at in (spot.node, *code.ancestors(spot.node)):
        if isinstance(at, SCOPES):
            break
        if isinstance(at, ast.If | ast.For) and at.orelse and not code.is_elif(at):
            above = code.parents[at]
            if isinstance(above, ast.For | ast.While) and at in above.body and code.on_own_lines([at]):
                found.append(at)
    return found[::-1]


def _ends(statements: Sequence[ast.stmt], name: str) -> list[ast.Expr] | None:
    """The appends with which the ways through these statements end, one each; None where a way ends otherwise."""
    last = statements[-1]
    if isinstance(last, ast.Expr):
        return [last] if _list_of(last) == name else None
    if isinstance(last, ast.If):
        sides = [_ends(last.body, name), _ends(last.orelse, name) if last.orelse else None]
    elif isinstance(last, ast.For) and not leaves(last.body, (ast.Return, ast.Continue)):
        sides = [_before_breaks(last, name), _ends(last.orelse, name) if last.orelse else None]
    else:
        return None
    return [*sides[0], *sides[1]] if sides[0] is not None and sides[1] is not None else None


def _before_breaks(loop: ast.For, name: str) -> list[ast.Expr] | None:
    """The appends right before the loop's breaks."""
    found = []
    for node in walk_scope(loop.body):
        for block in (getattr(node, "body", []), getattr(node, "orelse", [])):
            if isinstance(block, list) and block and isinstance(block[-1], ast.Break):
                last = block[-2] if len(block) > 1 else None
                if not isinstance(last, ast.Expr) or _list_of(last) != name:
                    return None
                found.append(last)
    return found if len(found) == len(leaves(loop.body, ast.Break)) else None


def _appended_to(statements: Sequence[ast.stmt]) -> list[str]:
    names = [_list_of(node) for node in walk_scope(statements) if isinstance(node, ast.Expr)]
    return list(dict.fromkeys(name for name in names if name))


def _count(statements: Sequence[ast.stmt], name: str) -> int:
    """How often something is called on the list there, or it is given on."""
    return sum(
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
        for node in walk_scope(statements)
    )


def _list_of(statement: ast.Expr) -> str:
    """The name of the list to which a statement appends; "" of any other."""
    match statement.value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value], keywords=[]) if not isinstance(
            value, ast.Starred
        ):
            return name
    return ""


def _value(statement: ast.Expr) -> ast.expr:
    assert isinstance(statement.value, ast.Call)
    return statement.value.args[0]


RULES: list[Rule] = [appended_once]
