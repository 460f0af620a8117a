"""Where a variable that may be None is read, and whether the code made sure before that it is not."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Mapping

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
    return any(not _is_asked_around(each, parents) and not _is_settled_above(function, each, parents) for each in later)


def is_sure(function: ast.FunctionDef, load: ast.Name) -> bool:
    """Whether a variable cannot be None where it is read, as the code asked before."""
    parents = _parents(function)
    return _is_asked_around(load, parents) or _is_settled_above(function, load, parents)


def _parents(function: ast.FunctionDef) -> dict[ast.AST, ast.AST]:
    return {child: node for node in walk(function) for child in children(node)}


def _is_the_question(load: ast.Name, parents: dict[ast.AST, ast.AST]) -> bool:
    return asks_for_none(parents[load], load.id) is not None


def _is_asked_around(load: ast.Name, parents: dict[ast.AST, ast.AST]) -> bool:
    """`x if v is None else v`, `if v is not None: return v`, `v is not None and v == x`, `v is None or v == x`."""
    below: ast.AST = load
    while (at := parents.get(below)) is not None and not isinstance(at, ast.For | ast.While | ast.FunctionDef | ast.Lambda):
        if isinstance(at, ast.If | ast.IfExp) and below is not at.test:
            first = below in at.body if isinstance(at, ast.If) else below is at.body
            if _says_it_is_there(at.test, load.id, first):
                return True
        if isinstance(at, ast.BoolOp):
            before = [asks_for_none(each, load.id) for each in at.values[: at.values.index(below)]]  # type: ignore[arg-type]
            not_come_to = isinstance(at.op, ast.Or)  # `or` ends where one says yes, `and` where one says no
            if not_come_to in before:
                return True
        below = at
    return False


def _says_it_is_there(test: ast.expr, name: str, holds: bool) -> bool:
    """Whether the name cannot be None where a test holds, or where it does not: `v is not None and v < x`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) is holds:
        return any(_says_it_is_there(each, name, holds) for each in test.values)
    none = asks_for_none(test, name)
    return none is not None and none is not holds


def _is_settled_above(function: ast.FunctionDef, load: ast.Name, parents: Mapping[ast.AST, ast.AST]) -> bool:
    """`if v is None: v = 0`, `if v is None: return 0` above, in the blocks around, and no None behind it."""
    around: list[ast.AST] = [load]
    while around[-1] is not function:
        around.append(parents[around[-1]])
    settled = False
    for below, at in reversed(list(itertools.pairwise(around))):
        if isinstance(at, ast.For | ast.While) and any(_binds_none(node, load.id) for node in walk(at)):
            settled = False  # in the round before
        block = next((b for _, b in ast.iter_fields(at) if isinstance(b, list) and below in b), [])
        for statement in itertools.takewhile(lambda each, last=below: each is not last, block):  # type: ignore[misc]
            if _settles(statement, load.id):
                settled = True
            elif any(_binds_none(node, load.id) for node in walk(statement)):
                settled = False
    return settled


def _settles(statement: ast.stmt, name: str) -> bool:
    """Whether the name cannot be None when this statement is done."""
    match statement:
        case ast.If(test=test, body=body, orelse=orelse):
            sides = [side for side, holds in ((body, False), (orelse, True)) if _says_it_is_there(test, name, holds)]
            binds_none = any(_binds_none(node, name) for node in walk(statement))
            return not binds_none and any(side and (always_leaves(side) or name in surely_written(side)) for side in sides)
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
