"""Where every way through a choice appends one element to a list, the choice is of the element: the list grows by one a round,
whatever data decides, and so does the array in its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import SCOPES, loaded, walk, walk_scope

_LEAVING = ast.Return | ast.Continue | ast.Break | ast.Raise


def appended_once(spot: Spot) -> Iterator[Step]:
    """`if t: out.append(a)`, `else: out.append(b)` in a loop → `item = a`, `item = b` and `out.append(item)` behind the choice;
    also of a search: `for …: if t: out.append(a); break`, `else: out.append(b)`."""
    code = spot.code
    for statement in _choices_around(spot):
        # a `while` counts its rounds by what stands behind: `i += 2` has to be met there as it is
        anywhere = isinstance(code.parents[statement], ast.For)
        found = {name: appends for name in _appended_to([statement]) if (appends := _each_way(statement, name, anywhere))}
        if not found:
            continue
        names = {name: f"item_of_{name}" if len(found) > 1 else "item" for name in found}
        items = {name: code.fresh(wanted, f"item_of_{name}") for name, wanted in names.items()}
        edits: list[tuple[ast.AST | tuple[int, int], str]] = [
            (each, f"{items[name]} = {code.expr(_value(each))}") for name in found for each in found[name]
        ]
        end = code.region([statement])[1]
        behind = "".join(f"{code.indent(statement)}{name}.append({item})\n" for name, item in items.items())
        yield spot.step("list", *edits, ((end, end), behind))
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


def _each_way(choice: ast.stmt, name: str, anywhere: bool) -> list[ast.Expr]:
    """The appends to a list, where each way through a choice appends to it once, and does nothing else with it."""
    appends = _ends([choice], name, anywhere) or []
    return appends if len(appends) > 1 and len(appends) == _count([choice], name) else []


def _ends(statements: Sequence[ast.stmt], name: str, anywhere: bool) -> list[ast.Expr] | None:
    """The appends to one list with which the ways through these statements end, one each, but for those to other lists behind
    it; with `anywhere` but for all that neither reads the list nor leaves. None where a way ends otherwise."""
    for statement in reversed(statements):
        found = _appends_of(statement, name, anywhere)
        if found is not None:
            return found
        to_another = isinstance(statement, ast.Expr) and _list_of(statement) not in ("", name)
        leaving = any(isinstance(each, _LEAVING) for each in walk(statement))
        if not (to_another or (anywhere and not leaving)) or name in loaded([statement]):
            return None
    return None


def _appends_of(last: ast.stmt, name: str, anywhere: bool) -> list[ast.Expr] | None:
    """Those of a statement of which every way ends with one."""
    if isinstance(last, ast.Expr):
        return [last] if _list_of(last) == name else None
    if isinstance(last, ast.If):
        blocks = [last.body, last.orelse]
        sides = [_ends(block, name, anywhere) if block else None for block in blocks]
    elif isinstance(last, ast.For) and not leaves(last.body, (ast.Return, ast.Continue)):
        sides = [_before_breaks(last, name), _ends(last.orelse, name, anywhere) if last.orelse else None]
    else:
        return None
    return [*sides[0], *sides[1]] if sides[0] is not None and sides[1] is not None else None


def _before_breaks(loop: ast.For, name: str) -> list[ast.Expr] | None:
    """The appends right before the loop's breaks."""
    found = []
    for node in walk_scope(loop.body):
        for block in (getattr(node, "body", []), getattr(node, "orelse", [])):
            if isinstance(block, list) and block and isinstance(block[-1], ast.Break):
                appended = _ends(block[:-1], name, anywhere=False) if len(block) > 1 else None
                if appended is None or len(appended) != 1:
                    return None
                found += appended
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
