"""Loops that end when a value comes again: `while node not in seen: seen.append(node); node = succ[node]`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.rounds import conjuncts
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code, leaves
from jupyter_jitmagic.source.names import stored, walk_scope


def values_met_once(spot: Spot, loop: ast.For | ast.While, name: str, value: ast.expr) -> str:
    """How many different values a loop can append that goes on while the next one is not in the list, as text: they are
    elements of one array, beside the one with which it begins. "" where that is not known."""
    item = without_int(value)
    if not isinstance(loop, ast.While) or not isinstance(item, ast.Name) or leaves(loop.body, ast.Continue):
        return ""
    tests = [each for each in conjuncts(loop.test) if isinstance(each, ast.Compare)]
    asked = [each for each in tests if [type(op) for op in each.ops] == [ast.NotIn]]
    held = [ast.dump(without_int(part.left)) for part in asked if spot.code.src(part.comparators[0]) == name]
    if ast.dump(item) not in held:
        return ""
    arrays = set()
    for position, statement in enumerate(loop.body):
        if item.id not in stored([statement]):
            continue
        appended_before = any(_appends(each, name) for each in loop.body[:position])
        match statement:
            case ast.Assign(targets=[ast.Name()], value=given) if appended_before:
                taken = without_int(given)
            case _:
                return ""
        match taken:
            case ast.Subscript(value=ast.Name(id=array)) if isinstance(spot.locals.get(array), jax.Array | np.ndarray):
                arrays.add(array)
            case _:
                return ""
    if len(arrays) != 1 or arrays & set(stored(loop.body)):
        return ""
    return f"{arrays.pop()}.size"


def _appends(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=held), attr="append"))):
            return held == name
    return False


def set_as_a_list(spot: Spot) -> Iterator[Step]:
    """`seen = set()`, `seen.add(x)` → `seen = []`, `if x not in seen: seen.append(x)`: no array tells the numbers in it."""
    match spot.node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="add"), args=[_]):
            pass
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=name)]):
            pass
        case _:
            asked = spot.asked()
            added = [n.func.value.id for n in walk_scope([asked[1]]) if _is_add(n)] if asked is not None else []  # type: ignore[attr-defined]
            if not added:
                return
            name = added[0]
    function, code = spot.function, spot.code
    if not isinstance(spot.locals.get(name), set) or not isinstance(function, ast.FunctionDef):
        return
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    made = 0
    for node in ast.walk(function):
        if not isinstance(node, ast.Name) or node.id != name:
            continue
        parent = code.parents[node]
        statement = code.statement(node)
        match parent:
            case ast.Assign(targets=[ast.Name()], value=ast.Call(func=ast.Name(id="set"), args=[]) as value):
                edits.append((value, "[]"))
                made += 1
            case ast.Attribute(attr="add") if isinstance(statement, ast.Expr) and code.on_own_lines([statement]):
                call = statement.value
                if not isinstance(call, ast.Call) or len(call.args) != 1:
                    return
                item, append = code.expr(call.args[0]), f"{name}.append({code.expr(call.args[0])})"
                if _is_asked_before(code, statement, name, call.args[0]):
                    edits.append((statement, append))
                else:
                    edits.append((statement, f"if {item} not in {name}:\n{code.indent(statement)}    {append}"))
            case ast.Attribute(attr="remove" | "clear") if (
                isinstance(statement, ast.Expr) and statement.value is code.parents[parent]
            ):
                replace(spot, node=parent).refuse_where_caught(KeyError)  # a list without equal items loses the same
            case ast.Attribute(attr="discard") if isinstance(statement, ast.Expr) and code.on_own_lines([statement]):
                match statement.value:
                    case ast.Call(args=[given]) as call if call.func is parent:
                        item = code.expr(given)
                    case _:
                        return
                line = f"{name}.remove({item})"
                edits.append((statement, f"if {item} in {name}:\n{code.indent(statement)}    {line}"))
            case ast.Compare(ops=[ast.In() | ast.NotIn()]) if parent.comparators == [node]:
                pass
            case ast.Call(func=ast.Name(id="len"), args=[_]):
                pass
            case _:
                return
    if made == 1:
        yield spot.step("list", *edits)


def _is_add(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr="add"), args=[_]):
            return True
    return False


def _is_asked_before(code: Code, statement: ast.stmt, name: str, item: ast.expr) -> bool:
    """Whether a statement is the first in `if item not in name:`, or in a `while` that asks the same."""
    parent = code.parents[statement]
    if not isinstance(parent, ast.If | ast.While) or parent.body[0] is not statement:
        return False
    for part in conjuncts(parent.test):
        match part:
            case ast.Compare(left=left, ops=[ast.NotIn()], comparators=[ast.Name(id=held)]) if held == name:
                if ast.dump(without_int(left)) == ast.dump(without_int(item)):
                    return True
    return False


def without_int(node: ast.expr) -> ast.expr:
    """`int(node)`, `node.item()` and `jnp.asarray(node, int)` as `node`."""
    match node:
        case ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[]):
            return inner
        case ast.Call(func=ast.Attribute(value=inner, attr="item"), args=[], keywords=[]):
            return inner
        case ast.Call(func=ast.Attribute(attr="asarray"), args=[inner, ast.Name(id="int")], keywords=[]):
            return inner
    return node


RULES: list[Rule] = [set_as_a_list]
