"""Dicts whose keys are written in the code, and whose items change by a key that is data: `counts[int(v)] += 1`.

Such a statement adds no key (plain Python raises KeyError for another one), so that the dict stays one; where its keys are the
numbers from 0 on, it is a list.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.loop_exits import is_call
from jupyter_jitmagic.diagnosis.rewrites.naming import OPERATORS
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import loaded, walk, walk_scope


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


def numbered_from_0(spot: Spot) -> Iterator[Step]:
    """`rating = {p: 1500.0 for p in range(n)}`, of which items are read and changed alone → `[1500.0 for p in range(n)]`."""
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    for statement in walk_scope(function.body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=made) if items := _one_for_each(spot, made):
                held = spot.locals.get(name)
            case _:
                continue
        if type(held) is not dict or [*held] != [*range(len(held))] or name not in loaded([code.statement(spot.node)]):
            continue
        uses = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and n is not statement.targets[0]]
        edits = [edit for use in uses if (edit := _as_of_a_list(code, use)) is not None]
        if len(edits) == len(uses):
            spot.refuse_where_caught(KeyError)
            yield spot.step("list", (made, items), *(edit for edit in edits if edit), excludes={"no such key": OTHER_KEYS})
            return


OTHER_KEYS = "a key that is not there, for which Python raises KeyError"


def _one_for_each(spot: Spot, made: ast.expr) -> str:
    """What a list of the same values is, where the keys of a dict are `range(n)`; "" otherwise."""
    code = spot.code
    match made:
        case ast.DictComp(
            key=ast.Name(id=key), value=value, generators=[ast.comprehension(target=ast.Name(id=each), iter=numbers, ifs=[])]
        ) if key == each and is_call(spot, numbers, "range"):
            text = f"[{code.expr(value)} for {each} in {code.src(numbers)}]"
        case ast.Call(func=ast.Attribute(value=ast.Name(id="dict"), attr="fromkeys"), args=[numbers, value]) if is_call(
            spot, numbers, "range"
        ) and isinstance(value, ast.Constant | ast.UnaryOp):
            text = f"[{code.src(value)} for _ in {code.src(numbers)}]"
        case _:
            return ""
    return text if isinstance(numbers, ast.Call) and len(numbers.args) == 1 else ""


def _as_of_a_list(code: Code, use: ast.Name) -> tuple[ast.AST, str] | tuple[()] | None:
    """What stands for a use of such a dict where it is a list: () for the same; None where it has to stay a dict."""
    parent, name = code.parents[use], use.id
    around = code.parents[parent]
    match parent:
        case ast.Subscript(ctx=ast.Load()):
            return ()
        case ast.Subscript(ctx=ast.Store()) if isinstance(around, ast.AugAssign) and around.target is parent:
            return ()
        case ast.Subscript(ctx=ast.Store(), slice=key) if isinstance(around, ast.Assign):  # one that it reads is there
            read = {ast.dump(n.slice) for n in walk(around.value) if isinstance(n, ast.Subscript) and code.src(n.value) == name}
            return () if ast.dump(key) in read else None
        case ast.Call(func=ast.Name(id="len"), args=[_]):
            return ()
        case ast.Attribute(attr="values" | "items" | "keys" as way) if isinstance(around, ast.Call) and not around.args:
            return around, {"values": name, "items": f"enumerate({name})", "keys": f"range(len({name}))"}[way]
        case ast.For() | ast.comprehension() if parent.iter is use:
            return use, f"range(len({name}))"
    return None


RULES: list[Rule] = [numbered_from_0, added_to_each]
