"""Dicts whose keys are written in the code, and to whose items a loop adds by a key that is data: `counts[int(v)] += 1`.

Such a statement adds no key (plain Python raises KeyError for another one), so that the dict stays one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.naming import OPERATORS
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, walk_scope


def added_to_each(spot: Spot) -> Iterator[Step]:
    """`counts[key] += 1` → `counts = {k: jnp.where(key == k, n + 1, n) for k, n in counts.items()}`."""
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    for statement in walk_scope(function.body):
        match statement:
            case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=name), slice=key), op=op, value=value):
                pass
            case _:
                continue
        if not _is_of_numbers(spot.locals.get(name)) or not (_is_made_whole(key) or spot.node in {*ast.walk(key), statement}):
            continue
        if name in loaded([key, value]) or not _is_own(function, name, statement) or not code.on_own_lines([statement]):
            continue
        spot.refuse_where_caught(KeyError)
        k, n = code.fresh("k", "place"), code.fresh("n", "held")
        changed = f"{n} {OPERATORS[type(op)]} {code.operand(value)}"
        chosen = f"{spot.jnp('where')}({code.expr(key)} == {k}, {changed}, {n})"
        edit = statement, f"{name} = {{{k}: {chosen} for {k}, {n} in {name}.items()}}"
        yield spot.step("where", edit, risky=True)
        return


def _is_made_whole(key: ast.expr) -> bool:
    """`int(v)`, `v.item()`: whether a number of Python's is made of what may be data."""
    match key:
        case ast.Call(func=ast.Name(id="int")) | ast.Call(func=ast.Attribute(attr="item")):
            return True
    return False


def _is_of_numbers(held: object) -> bool:
    """Whether it is a dict whose keys are numbers."""
    return type(held) is dict and 0 < len(held) <= _MOST and all(type(key) is int for key in held)


_MOST = 16  # keys, each of which is compared in each round


def _is_own(function: ast.FunctionDef, name: str, update: ast.stmt) -> bool:
    """Whether the function writes the dict itself once, `{0: 0, 1: 0}`, sets no other item and gives it no other name."""
    made = 0
    for node in walk_scope(function.body):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                made += isinstance(value, ast.Dict) and all(isinstance(each, ast.Constant | ast.UnaryOp) for each in value.keys)
            case ast.Assign(value=ast.Name(id=other)) | ast.NamedExpr(value=ast.Name(id=other)) if other == name:
                return False
            case ast.Subscript(value=ast.Name(id=other), ctx=ast.Store() | ast.Del()) if other == name:
                if node is not getattr(update, "target", None):
                    return False
    stores = sum(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for n in walk_scope(function.body))
    return made == 1 == stores


RULES: list[Rule] = [added_to_each]
