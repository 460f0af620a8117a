"""A list that is filled up to a length behind the loop that fills it: as a loop, which other rules go on with."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, walk


def as_a_loop(spot: Spot) -> Iterator[Step]:
    """`out += [v] * (n - len(out))` behind the loop → `while len(out) < n: out.append(v)`; with `out.extend(…)`, too."""
    asked, function, code = spot.asked(), spot.function, spot.code
    if asked is None or not isinstance(function, ast.FunctionDef):
        return
    for statement in function.body:
        padded = _padded(statement)
        if padded is None or statement.lineno < spot.node.lineno or not code.on_own_lines([statement]):  # type: ignore[attr-defined]
            continue
        name, value, length = padded
        if not _is_steady(value, name) or name in loaded([length]) or not isinstance(spot.locals.get(name), list):
            continue
        indent = code.indent(statement)
        lines = f"{indent}while len({name}) < {code.expr(length)}:\n{indent}    {name}.append({code.expr(value)})\n"
        yield spot.step("list", (code.region([statement]), lines))
        return


def _padded(statement: ast.stmt) -> tuple[str, ast.expr, ast.expr] | None:
    """(list, item, length up to which the item fills it)."""
    match statement:
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=more):
            pass
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.BinOp(left=ast.Name(id=of), op=ast.Add(), right=more)) if (
            of == name
        ):
            pass
        case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="extend"), args=[more], keywords=[])):
            pass
        case _:
            return None
    match more:
        case ast.BinOp(
            left=ast.List(elts=[item]),
            op=ast.Mult(),
            right=ast.BinOp(
                left=length, op=ast.Sub(), right=ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=counted)], keywords=[])
            ),
        ) if counted == name and not isinstance(item, ast.Starred):
            return name, item, length
    return None


def _is_steady(value: ast.expr, name: str) -> bool:
    """Whether an item is the same each time that it is asked for: a value that is there, or the list's last item."""
    match value:
        case ast.Subscript(value=ast.Name(id=of), slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))) if (
            of == name
        ):
            return True
    return name not in loaded([value]) and not any(
        isinstance(each, ast.Call | ast.NamedExpr | ast.Await) for each in walk(value)
    )


RULES: list[Rule] = [as_a_loop]
