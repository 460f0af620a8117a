"""A list whose name an array takes in the end: `curve = []` … `curve = jnp.array(curve)`; and lists that grow together."""

from __future__ import annotations

import ast

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.names import SCOPES, walk_scope


def under_its_own_name(spot: Spot, function: ast.FunctionDef, name: str) -> Step | None:
    """A name of its own for the list, so that it is bound once, as all that follows lists expects."""
    code = spot.code
    uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
    stores = sorted((n for n in uses if not isinstance(n.ctx, ast.Load)), key=lambda n: n.lineno)
    inner = [n for scope in walk_scope(function.body) if isinstance(scope, SCOPES) for n in ast.walk(scope)]
    if len(stores) < 2 or any(n in inner for n in uses):
        return None
    made, again = map(code.statement, stores[:2])
    match made, again:
        case ast.Assign(targets=[ast.Name()], value=ast.List() | ast.Call()), ast.Assign(targets=[ast.Name()], value=value):
            pass
        case _:
            return None
    block = code.block(made)
    given = [n for n in uses if n in set(ast.walk(value))]
    if again not in block or block.index(again) < block.index(made) or not given:
        return None
    before = [n for n in uses if n.lineno < again.lineno]
    on_its_lines = [n for n in uses if again.lineno <= n.lineno <= (again.end_lineno or 0)]
    if any(n.lineno < made.lineno for n in uses) or set(on_its_lines) != {*given, stores[1]}:
        return None
    own = code.fresh(f"{name}_items", f"{name}_list", f"list_of_{name}")
    return spot.step("list", *((n, own) for n in (*before, *given)))


def side_by_side(spot: Spot, branch: ast.If, names: list[str]) -> bool:
    """Whether these lists are made together, empty, and each is given one item in this branch and nowhere else: what counts in
    one does so in all."""
    code, function = spot.code, spot.function
    if branch.orelse or not isinstance(function, ast.FunctionDef):
        return False
    blocks = []
    for name in names:
        grown = [n for n in ast.walk(function) if isinstance(n, ast.Attribute) and code.src(n) == f"{name}.append"]
        made = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
        if len(grown) != 1 or len(made) != 1 or code.statement(grown[0]) not in branch.body:
            return False
        match code.statement(made[0]):
            case ast.Assign(value=ast.List(elts=[])) as statement:
                blocks.append(code.block(statement))
            case _:
                return False
    return len(names) > 1 and all(block is blocks[0] for block in blocks)


def follows_line_by_line(spot: Spot, function: ast.FunctionDef, name: str, before: str) -> bool:
    """Whether a list is made empty beside another one, and given an item on the line behind each that gives that one, and
    nowhere else; nothing is taken from either. In each round of `for i in range(n)` there is a place without counting."""
    code = spot.code
    made, grown = _made_and_grown(spot, function, name)
    other, others_grown = _made_and_grown(spot, function, before)
    if made is None or other is None or code.block(made) is not code.block(other) or len(grown) != len(others_grown):
        return False
    for first, second in zip(others_grown, grown, strict=True):
        block = code.block(second)
        at = block.index(second)
        if at == 0 or block[at - 1] is not first or isinstance(code.parents[second], ast.For):
            return False
    return bool(grown)


def _made_and_grown(spot: Spot, function: ast.FunctionDef, name: str) -> tuple[ast.stmt | None, list[ast.stmt]]:
    """The statement that makes a list empty, None where something else does as well or items are taken; and all appends."""
    code = spot.code
    uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
    stores = [code.statement(n) for n in uses if not isinstance(n.ctx, ast.Load)]
    methods = [n for n in map(code.parents.get, uses) if isinstance(n, ast.Attribute)]
    grown = sorted((code.statement(n) for n in methods if n.attr == "append"), key=lambda each: each.lineno)
    match stores:
        case [ast.Assign(targets=[ast.Name()], value=ast.List(elts=[])) as made] if len(grown) == len(methods):
            return made, grown
    return None, []
