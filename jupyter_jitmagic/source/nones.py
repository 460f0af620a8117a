"""Where a variable that may be None is read, and whether the code made sure before that it is not."""

from __future__ import annotations

import ast

from jupyter_jitmagic.source.names import always_leaves, children, surely_written, walk


def is_none(value: ast.expr | None) -> bool:
    """Whether None is written there, as by `return None`, or nothing, as by `return`."""
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def asks_for_none(node: ast.AST, name: str) -> bool | None:
    """True of `name is None`, False of `name is not None`, None of any other expression."""
    match node:
        case ast.Compare(left=ast.Name(id=asked), ops=[ast.Is() | ast.IsNot() as how], comparators=[ast.Constant(value=None)]):
            return isinstance(how, ast.Is) if asked == name else None
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = asks_for_none(operand, name)
            return None if inner is None else not inner
    return None


def read_as_none(function: ast.FunctionDef, name: str, behind: ast.stmt) -> bool:
    """Whether a name that is None before a statement, or in it, may be None still where it is read behind it."""
    nodes, parents, end = walk(function), _parents(function), behind.end_lineno or behind.lineno
    loads = [each for each in nodes if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load)]
    later = [each for each in loads if each.lineno > end and not _is_the_question(each, parents)]
    return any(not _is_asked_around(each, parents) and not _is_settled_above(function, each) for each in later)


def is_sure(function: ast.FunctionDef, load: ast.Name) -> bool:
    """Whether a variable cannot be None where it is read, as the code asked before."""
    return _is_asked_around(load, _parents(function)) or _is_settled_above(function, load)


def _parents(function: ast.FunctionDef) -> dict[ast.AST, ast.AST]:
    return {child: node for node in walk(function) for child in children(node)}


def _is_the_question(load: ast.Name, parents: dict[ast.AST, ast.AST]) -> bool:
    return asks_for_none(parents[load], load.id) is not None


def _is_asked_around(load: ast.Name, parents: dict[ast.AST, ast.AST]) -> bool:
    """`x if v is None else v`, `if v is not None: return v`, `v is not None and v == x`, `v is None or v == x`."""
    below: ast.AST = load
    while (at := parents.get(below)) is not None and not isinstance(at, ast.For | ast.While | ast.FunctionDef | ast.Lambda):
        if isinstance(at, ast.If | ast.IfExp) and below is not at.test:
            none = asks_for_none(at.test, load.id)
            first = below in at.body if isinstance(at, ast.If) else below is at.body
            if none is not None and none is not first:
                return True
        if isinstance(at, ast.BoolOp):
            before = [asks_for_none(each, load.id) for each in at.values[: at.values.index(below)]]  # type: ignore[arg-type]
            not_come_to = isinstance(at.op, ast.Or)  # `or` ends where one says yes, `and` where one says no
            if not_come_to in before:
                return True
        below = at
    return False


def _is_settled_above(function: ast.FunctionDef, load: ast.Name) -> bool:
    """`if v is None: v = 0`, `if v is None: return 0` above, and no None behind it."""
    settled = False
    for statement in function.body:
        if (statement.end_lineno or statement.lineno) >= load.lineno:
            break
        if _settles(statement, load.id):
            settled = True
        elif any(_binds_none(node, load.id) for node in walk(statement)):
            settled = False
    return settled


def _settles(statement: ast.stmt, name: str) -> bool:
    """Whether the name cannot be None when this statement is done."""
    match statement:
        case ast.If(test=test, body=body, orelse=orelse) if (none := asks_for_none(test, name)) is not None:
            side = body if none else orelse
            binds_none = any(_binds_none(node, name) for node in walk(statement))
            return bool(side) and not binds_none and (always_leaves(side) or name in surely_written(side))
        case ast.Assign(targets=[ast.Name(id=target)], value=ast.IfExp(test=test)) if target == name:
            return asks_for_none(test, name) is not None and not _binds_none(statement, name)
    return False


def _binds_none(node: ast.AST, name: str) -> bool:
    """Whether an assignment may give None to the name, itself or in a tuple."""
    match node:
        case ast.Assign(targets=targets, value=value):
            bound = any(isinstance(each, ast.Name) and each.id == name for target in targets for each in walk(target))
            return bound and gives_none(value)
    return False


def gives_none(value: ast.expr) -> bool:
    """Whether None is one of the values that an expression is written to have, alone or within a tuple; `x[None]` has none."""
    match value:
        case ast.Constant(value=None):
            return True
        case ast.IfExp(body=body, orelse=orelse):
            return gives_none(body) or gives_none(orelse)
        case ast.BoolOp(values=values) | ast.Tuple(elts=values) | ast.List(elts=values):
            return any(map(gives_none, values))
        case ast.NamedExpr(value=inner) | ast.Starred(value=inner):
            return gives_none(inner)
    return False
