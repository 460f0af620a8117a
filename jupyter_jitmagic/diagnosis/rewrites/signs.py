"""Whole numbers that are never negative, as far as the text of a function says: the places of a list among them."""

from __future__ import annotations

import ast

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.names import SCOPES, target_names, walk_scope


def is_place(spot: Spot, function: ast.FunctionDef, node: ast.expr) -> bool:
    """Whether an expression is a whole number, and 0 or more in every round: it then has the same place in a buffer as in the
    list for which that stands, where the list has it at all."""
    fact = spot.fact(node)
    if fact is None or fact.ndim or fact.dtype != "i":
        return False
    inner = [n for n in walk_scope(function.body) if isinstance(n, SCOPES)]
    return not inner and _is_never_negative(spot, function, node, frozenset())


def _is_never_negative(spot: Spot, function: ast.FunctionDef, node: ast.expr, assumed: frozenset[str]) -> bool:
    """`assumed`: names of which that is believed while what they are given is looked at; each of them began so, and nothing
    that they are given later is less, if they were not before."""

    def sure(part: ast.expr) -> bool:
        return _is_never_negative(spot, function, part, assumed)

    match node:
        case ast.Constant(value=int() as number):
            return number >= 0
        case ast.Name(id=name):
            return name in assumed or _is_never_given_less(spot, function, name, assumed | {name})
        case ast.BinOp(left=left, op=ast.Add() | ast.Mult(), right=right):
            return sure(left) and sure(right)
        case ast.BinOp(left=left, op=ast.FloorDiv() | ast.RShift(), right=ast.Constant(value=int() as number)):
            return number > 0 and sure(left)
        case ast.BinOp(op=ast.Mod(), right=right):  # Python's has the sign of what it divides by
            return sure(right)
        case ast.Call(func=ast.Name(id="len"), args=[_]):
            return spot.is_builtin("len")
        case ast.Call(func=ast.Name(id="max" | "min" as name), args=[_, _, *_] as values, keywords=[]):
            signs = [sure(each) for each in values if not isinstance(each, ast.Starred)]
            return spot.is_builtin(name) and len(signs) == len(values) and (all(signs) or (name == "max" and any(signs)))
        case ast.Call(func=ast.Attribute(attr="argmax" | "argmin" | "searchsorted" | "digitize" | "count_nonzero")):
            return True
        case ast.Call(func=ast.Attribute(attr="where"), args=[_, left, right], keywords=[]):
            return sure(left) and sure(right)
    return False


def _is_never_given_less(spot: Spot, function: ast.FunctionDef, name: str, assumed: frozenset[str]) -> bool:
    """Whether nothing in the function gives a name of its own a number below 0."""
    if name in {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}:
        return False
    given = 0
    for statement in walk_scope(function.body):
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if name not in target_names(target):
                        continue
                    match target, value:
                        case ast.Name(), _:
                            values = [value]
                        case ast.Tuple(elts=names), ast.Tuple(elts=several) if len(names) == len(several):
                            values = [v for t, v in zip(names, several, strict=True) if name in target_names(t)]
                            if not all(isinstance(t, ast.Name) for t in names):
                                return False
                        case _:
                            return False
                    if not all(_is_never_negative(spot, function, each, assumed) for each in values):
                        return False
                    given += 1
            case ast.AugAssign(target=ast.Name(id=same), op=op, value=value) if same == name:
                rises = isinstance(op, ast.Add | ast.Mult) and _is_never_negative(spot, function, value, assumed)
                match op, value:
                    case ast.FloorDiv() | ast.RShift(), ast.Constant(value=int() as number) if number > 0:
                        rises = True
                if not rises:
                    return False
            case ast.For(target=ast.Name(id=same), iter=ast.Call(func=ast.Name(id="range"), args=bounds)) if same == name:
                low = bounds[0] if len(bounds) > 1 else ast.Constant(0)
                if len(bounds) > 2 or not spot.is_builtin("range") or not _is_never_negative(spot, function, low, assumed):
                    return False
                given += 1
            case ast.For(
                target=ast.Tuple(elts=[ast.Name(id=same), other]), iter=ast.Call(func=ast.Name(id="enumerate"), args=[_])
            ) if same == name and name not in target_names(other):
                given += 1
            case ast.For() | ast.With() | ast.NamedExpr() | ast.AnnAssign() | ast.Import() | ast.ImportFrom() | ast.Try():
                if name in {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} and (
                    not isinstance(statement, ast.For) or name in target_names(statement.target)
                ):
                    return False
    return given > 0
