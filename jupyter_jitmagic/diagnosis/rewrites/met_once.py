"""Loops that end when a value comes again: `while node not in seen: seen.append(node); node = succ[node]`."""

from __future__ import annotations

import ast

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.code import leaves, stored


def values_met_once(spot: Spot, loop: ast.For | ast.While, name: str, value: ast.expr) -> str:
    """How many different values a loop can append that goes on while the next one is not in the list, as text: they are
    elements of one array, beside the one with which it begins. "" where that is not known."""
    item = without_int(value)
    if not isinstance(loop, ast.While) or not isinstance(item, ast.Name) or leaves(loop.body, ast.Continue):
        return ""
    joined = loop.test.values if isinstance(loop.test, ast.BoolOp) and isinstance(loop.test.op, ast.And) else [loop.test]
    asked = [each for each in joined if isinstance(each, ast.Compare) and [type(op) for op in each.ops] == [ast.NotIn]]
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


def without_int(node: ast.expr) -> ast.expr:
    """`int(node)` and `node.item()` as `node`."""
    match node:
        case ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[]):
            return inner
        case ast.Call(func=ast.Attribute(value=inner, attr="item"), args=[], keywords=[]):
            return inner
    return node
