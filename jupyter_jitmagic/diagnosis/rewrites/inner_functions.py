"""A function within a function that sets items of an array around it: `def find(x): … parent[x] = …`.

Compiled code has no array that is changed from within. So the array is given to the inner function and comes back from it:
`root, parent = find(x, parent)`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit, always_returns
from jupyter_jitmagic.source.names import SCOPES, stored, walk_scope


def given_and_returned(spot: Spot) -> Iterator[Step]:
    """`def find(x): … parent[x] = p …; return x` within `f` → `def find(x, parent): …; return x, parent`, and its calls."""
    inner, code = spot.function, spot.code
    if not isinstance(inner, ast.FunctionDef) or inner.decorator_list:
        return
    outer = code.function(inner)
    if not isinstance(outer, ast.FunctionDef) or inner not in outer.body:
        return
    name = _changed(spot, inner, outer)
    if name is None or not always_returns(inner.body):
        return
    loop = _as_a_loop(spot, inner, name)
    if loop is not None:
        yield loop
        return
    edits = _edits(spot, inner, outer, name)
    if edits is not None:
        yield spot.step("argument", *(((start, end), text) for start, end, text in edits))


def _changed(spot: Spot, inner: ast.FunctionDef, outer: ast.FunctionDef) -> str | None:
    """The one list or array of the function around whose items the inner function sets, and which is made in one line."""
    own = {each.arg for each in ast.walk(inner.args) if isinstance(each, ast.arg)} | set(stored(inner.body))
    names = {
        node.value.id
        for node in walk_scope(inner.body)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
    } - own
    if len(names) != 1:
        return None
    name = names.pop()
    made = [n for n in outer.body if isinstance(n, ast.Assign) and name in stored([n])]
    if len(made) != 1 or [ast.dump(t) for t in made[0].targets] != [ast.dump(ast.Name(name, ast.Store()))]:
        return None
    held = spot.locals.get(name)
    return name if isinstance(held, list | np.ndarray | jax.Array) and made[0].lineno < outer.end_lineno else None  # type: ignore[operator]


def _as_a_loop(spot: Spot, inner: ast.FunctionDef, name: str) -> Step | None:
    """`if parent[x] != x: parent[x] = find(parent[x])`, `return parent[x]` → a loop to the root, and one that sets it."""
    code = spot.code
    arguments = [each.arg for each in inner.args.args]
    if len(arguments) != 1:
        return None
    x, find = arguments[0], inner.name
    body = inner.body[ast.get_docstring(inner) is not None :]
    texts = [ast.unparse(each) for each in body]
    here, set_it = f"{name}[{x}]", f"{name}[{x}] = {find}({name}[{x}])"
    forms = (
        [f"if {here} != {x}:\n    {set_it}", f"return {here}"],
        [f"if {here} == {x}:\n    return {x}", set_it, f"return {here}"],
        [f"if {x} != {here}:\n    {set_it}", f"return {here}"],
    )
    if texts not in forms:
        return None
    root, above = code.fresh("root", "top"), code.fresh("above", f"parent_of_{x}")
    indent = code.indent(body[0])
    lines = [
        f"{root} = {x}",
        f"while {name}[{root}] != {root}:",
        f"    {root} = {name}[{root}]",
        f"while {here} != {root}:",
        f"    {above} = {here}",
        f"    {here} = {root}",
        f"    {x} = {above}",
        f"return {root}",
    ]
    return spot.step("while", (code.region(body), "".join(f"{indent}{line}\n" for line in lines)))


def _edits(spot: Spot, inner: ast.FunctionDef, outer: ast.FunctionDef, name: str) -> list[Edit] | None:
    code = spot.code
    arguments = inner.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults or not arguments.args:
        return None
    edits: list[Edit] = []
    end = code.span(arguments.args[-1])[1]
    edits.append((end, end, f", {name}"))
    for node in walk_scope(inner.body):
        if isinstance(node, ast.Return):
            if node.value is None or isinstance(node.value, ast.Tuple):
                return None
            edits.append((*code.span(node.value), f"{code.src(node.value)}, {name}"))
    made = next(n for n in outer.body if isinstance(n, ast.Assign) and name in stored([n]))
    if isinstance(spot.locals.get(name), list):
        edits.append((*code.span(made.value), f"{spot.jnp('array')}({code.expr(made.value)})"))
    for statement, calls in _calls(spot, inner, outer).items():
        if statement is None or not code.on_own_lines([statement]):
            return None
        if _reads_beside(statement, calls, name):
            return None
        lines, indent = "", code.indent(statement)
        for number, call in enumerate(calls):
            if len(call.args) != len(arguments.args) or call.keywords:
                return None
            given = ", ".join(code.src(each) for each in call.args)
            match statement:
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if value is call:
                    edits.append((*code.span(statement), f"{target}, {name} = {inner.name}({given}, {name})"))
                    continue
            found = code.fresh(f"{inner.name}_{number}", f"found_{number}", f"result_{number}")
            lines += f"{indent}{found}, {name} = {inner.name}({given}, {name})\n"
            edits.append((*code.span(call), found))
        start = code.region([statement], comments=True)[0]
        if lines:
            edits.append((start, start, lines))
    return edits


def _reads_beside(statement: ast.stmt, calls: list[ast.Call], name: str) -> bool:
    """Whether a statement reads the array beside its calls, which may change it in between."""
    parts = [statement.test] if isinstance(statement, ast.If) else [statement]
    inside = {n for call in calls for n in ast.walk(call)}
    roots = {t.value for n in parts if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Subscript)}
    return any(
        isinstance(n, ast.Name) and n.id == name and n not in roots and n not in inside
        for part in parts
        for n in ast.walk(part)
    )


def _calls(spot: Spot, inner: ast.FunctionDef, outer: ast.FunctionDef) -> dict[ast.stmt | None, list[ast.Call]]:
    """The statements that call the inner function, with those calls in order; None where one cannot be made before it."""
    code = spot.code
    found: dict[ast.stmt | None, list[ast.Call]] = {}
    for node in ast.walk(outer):
        if not (isinstance(node, ast.Name) and node.id == inner.name and isinstance(node.ctx, ast.Load)):
            continue
        call, statement = code.parents[node], code.statement(node)
        around = list(code.ancestors(call))
        between = around[1 : around.index(statement)] if statement in around else []
        surely = not any(
            isinstance(at, ast.BoolOp | ast.IfExp | ast.Lambda | ast.comprehension | ast.ListComp | ast.GeneratorExp)
            or (isinstance(at, ast.Call) and at.func is not node and isinstance(at.func, ast.Name) and at.func.id == inner.name)
            for at in between
        )
        head = isinstance(statement, ast.If) and not code.is_elif(statement)
        simple = isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr | ast.Return) or head
        in_scope = code.function(statement) is outer and not isinstance(statement, SCOPES)
        whole = isinstance(call, ast.Call) and call.func is node and surely and simple and in_scope
        assert isinstance(call, ast.Call) or not whole
        if whole and isinstance(call, ast.Call):
            found.setdefault(statement, []).append(call)
        else:
            found.setdefault(None, [])
    for made, calls in found.items():
        targets = [n for t in made.targets for n in ast.walk(t)] if isinstance(made, ast.Assign) else []
        calls.sort(key=lambda each: (each in targets, each.lineno, each.col_offset))  # what is assigned comes first
    return found


RULES: list[Rule] = [given_and_returned]
