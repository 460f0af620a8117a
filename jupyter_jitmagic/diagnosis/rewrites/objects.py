"""Strings and functions chosen by a traced test: the choice moves to where they are used, as numbers."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from jupyter_jitmagic.diagnosis.rewrites.replaced_fields import holds_what_it_is_given
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step, is_traced_value
from jupyter_jitmagic.source.names import SCOPES, stored


def chosen_object(spot: Spot) -> Iterator[Step]:
    """`key = "a" if test else "b"` … `RATES[key]` → `jnp.where(test, RATES["a"], RATES["b"])`; functions → `lax.cond`."""
    asked = spot.asked()
    if asked is None:
        return
    code, node = spot.code, asked[1]
    match node:
        case ast.IfExp(body=a, orelse=b):
            statement = code.statement(node)
            bound = isinstance(statement, ast.Assign) and statement.value is node and len(statement.targets) == 1
            target = statement.targets[0] if isinstance(statement, ast.Assign) and bound else None
        case ast.If(body=[ast.Assign(targets=[ast.Name() as target], value=a)], orelse=[ast.Assign(targets=[other], value=b)]):
            statement = node
            if code.src(target) != code.src(other) or code.is_elif(node):
                return
        case _:
            return
    if not all(_is_object(spot, value) for value in (a, b)):
        return
    test = code.expr(node.test)
    if isinstance(target, ast.Name):
        yield from _at_its_uses(spot, statement, target.id, test, a, b)
    elif target is None and isinstance(node, ast.IfExp):
        for pattern in ("where", "cond"):
            edit = _use(spot, node, test, a, b, pattern)
            yield spot.step(pattern, edit)


def beside_arrays(spot: Spot) -> Iterator[Step]:
    """`jax.tree.map(lambda a, b: jnp.where(test, a, b), …)` of a model that holds functions, too → but of what is the same on
    both sides. What is not an array and differs cannot be chosen, and fails as before."""
    node, code = spot.node, spot.code
    if "requires ndarray or scalar arguments" not in str(spot.error) or not isinstance(node, ast.Call) or len(node.args) != 3:
        return
    inside, names = code.parents[node], [each.id for each in node.args[1:] if isinstance(each, ast.Name)]
    if not isinstance(inside, ast.Lambda) or len(names) != 2 or [each.arg for each in inside.args.args] != names:
        return
    if not isinstance(inside.body, ast.IfExp):
        yield spot.step("where", (node, f"{names[1]} if {names[0]} is {names[1]} else {code.src(node)}"))


def field_by_field(spot: Spot) -> Iterator[Step]:
    """`jnp.where(test, a, b)` of two objects of a dataclass → `Case(jnp.where(test, a.x, b.x), …)`: JAX does not take them
    apart. A field that is the same object in both stays that, a number does not: equal ones are others in the next call."""
    node, code = spot.node, spot.code
    if "requires ndarray or scalar arguments" not in str(spot.error) or not isinstance(node, ast.Call) or len(node.args) != 3:
        return
    test, *sides = node.args
    objects: list[Any] = [spot.value(side) if isinstance(side, ast.Name) else None for side in sides]
    a, b = objects
    made = next((name for name, value in spot.globals.items() if value is type(a) and not spot.is_shadowed(name)), "")
    statement = code.statement(node)
    if type(a) is not type(b) or not made or not holds_what_it_is_given(a) or not code.on_own_lines([statement]):
        return
    if any(isinstance(at, ast.Lambda) for at in code.ancestors(node)) or _writes_fields(spot):
        return
    line, chosen = "", code.src(test)
    if not isinstance(test, ast.Name):
        chosen = code.fresh("chosen", "is_chosen")
        line = f"{code.indent(statement)}{chosen} = {code.expr(test)}\n"
    given = []
    for each in dataclasses.fields(a):
        pair, held = [f"{code.src(side)}.{each.name}" for side in sides], [getattr(side, each.name) for side in (a, b)]
        text = pair[0]
        if held[0] is not held[1] or is_traced_value(held[0]) or isinstance(held[0], int | float | complex):
            if any(isinstance(value, str) or value is None for value in held):
                return
            tree = any(isinstance(value, tuple | list | dict) for value in held)
            text = f"{spot.jax('tree.map')}({spot.leaf_by_leaf(chosen)}, {', '.join(pair)})"
            text = text if tree else f"{spot.jnp('where')}({chosen}, {', '.join(pair)})"
        given.append(f"{each.name}={text}" if each.kw_only else text)
    start = code.region([statement])[0]
    yield spot.step("where", ((start, start), line), (node, f"{made}({', '.join(given)})"))


def _writes_fields(spot: Spot) -> bool:
    """Whether a field is set: of the object that was chosen it is that of another one, too."""
    nodes = ast.walk(spot.function or spot.code.tree)
    return any(isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del) for node in nodes)


def _is_object(spot: Spot, node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return isinstance(node, ast.Lambda) or (isinstance(node, ast.Name | ast.Attribute) and callable(spot.value(node)))


def _at_its_uses(spot: Spot, statement: ast.stmt, name: str, test: str, a: ast.expr, b: ast.expr) -> Iterator[Step]:
    code, function = spot.code, spot.function
    if not isinstance(function, ast.FunctionDef) or not code.on_own_lines([statement]):
        return
    named = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
    stores = [n for n in named if isinstance(n.ctx, ast.Store)]
    if any(n not in ast.walk(statement) for n in stores) or any(
        name in stored([scope]) for scope in ast.walk(function) if isinstance(scope, SCOPES) and scope is not function
    ):
        return
    uses = [n for n in named if isinstance(n.ctx, ast.Load)]
    pred = code.fresh("pred", "chosen")
    line = f"{code.indent(statement)}{pred} = {test}\n"
    for pattern in ("where", "cond"):
        edits = [_use(spot, use, pred, a, b, pattern) for use in uses]
        yield spot.step(pattern, (code.region([statement]), line), *edits)


def _use(spot: Spot, use: ast.expr, test: str, a: ast.expr, b: ast.expr, pattern: str) -> tuple[ast.AST | tuple[int, int], str]:
    """The expression around a use, with the choice outside."""
    code = spot.code
    around = code.parents[use]
    match around:
        case ast.Subscript(slice=index) if index is use:
            pass
        case ast.Call(func=func) if func is use:
            pattern = "cond"  # one of the functions runs
        case ast.Compare(ops=[ast.Eq() | ast.NotEq() as op], comparators=[ast.Constant(value=value)], left=left) if left is use:
            return around, _compared(spot, test, a, b, value, isinstance(op, ast.NotEq))
        case _:
            kind = "a string" if isinstance(a, ast.Constant) else "a function"
            raise Obstacle(f"`{code.src(use)}` is {kind} chosen by a traced value; no compiled function can give one back")
    start, end = code.span(around)
    texts = [code.edited(start, end, [(*code.span(use), _operand(spot, value))]) for value in (a, b)]
    if pattern == "cond":
        return around, f"{spot.lax('cond')}({test}, lambda: {texts[0]}, lambda: {texts[1]})"
    return around, f"{spot.jnp('where')}({test}, {texts[0]}, {texts[1]})"


def _operand(spot: Spot, value: ast.expr) -> str:
    return spot.code.operand(value)


def _compared(spot: Spot, test: str, a: ast.expr, b: ast.expr, value: object, negative: bool) -> str:
    """`key == "a"` as a question to the test."""
    equal = [isinstance(side, ast.Constant) and side.value == value for side in (a, b)]
    if equal[0] == equal[1]:
        return str(equal[0] != negative)
    return f"({test})" if equal[0] != negative else f"{spot.jnp('logical_not')}({test})"


def same_append(spot: Spot) -> Iterator[Step]:
    """`if t: out.append(a)` / `else: out.append(b)` → `item = a` / `item = b`, and one `out.append(item)` after it."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If) or spot.code.is_elif(asked[1]):
        return
    code, node = spot.code, asked[1]
    ends = list(_ends(node))
    calls = [end.value if isinstance(end, ast.Expr) else None for end in ends]
    appended: list[ast.Call] = []
    for call in calls:
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name(), attr="append"), args=[_], keywords=[]):
                appended.append(call)
            case _:
                return
    owners = {code.src(call.func) for call in appended}
    if len(owners) != 1 or not code.on_own_lines([node]):
        return
    name = code.fresh("item", "element", "appended")
    edits: list[tuple[ast.AST | tuple[int, int], str]] = [(c, f"{name} = {code.expr(c.args[0])}") for c in appended]
    end = code.region([node])[1]
    edits.append(((end, end), f"{code.indent(node)}{owners.pop()}({name})\n"))
    yield spot.step("if", *edits)


def _ends(node: ast.If) -> Iterator[ast.stmt | None]:
    """The last statement of every way through an `if` (None: a way without one)."""
    sides: list[Sequence[ast.stmt]] = [node.body, node.orelse]
    for side in sides:
        last = side[-1] if side else None
        if isinstance(last, ast.If):
            yield from _ends(last)
        else:
            yield last


RULES: list[Rule] = [chosen_object, same_append, beside_arrays, field_by_field]
