"""An optional argument that only one side of a choice by data needs: `if rate > 0: x = dropout(key, x)`, `key=None`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import jax

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import bound_once, loaded, none_by_default
from jupyter_jitmagic.source.nones import asks_for_none


def absent_in_a_branch(spot: Spot) -> Iterator[Step]:
    """`lax.cond(rate > 0, lambda x: noisy(key, x), lambda x: x, x)`, traced with `key=None` → its other side without a key."""
    code, node = spot.code, spot.node
    if not isinstance(node, ast.Call) or not code.src(node.func).endswith("cond") or len(node.args) < 3 or not _is_other(spot):
        return
    test, *sides = node.args[:3]
    operands = [code.expr(each) for each in node.args[3:]]
    for side, other in (sides, sides[::-1]):
        name = _absent(spot, side)
        if name and name not in _names_in(spot, other) | set(loaded([test])):
            without = f"({code.src(other)})({', '.join(operands)})"
            if isinstance(other, ast.Lambda):
                given = [each.arg for each in other.args.args]
                if given == operands:
                    without = code.expr(other.body)
            elif isinstance(other, ast.Name):
                without = without.replace(f"({other.id})", other.id, 1)
            text = f"{code.src(node)} if {name} is not None else {without}"
            parent = code.parents[node]
            text = text if isinstance(parent, ast.Assign | ast.Return) else f"({text})"
            yield spot.step("if", (node, text), note=_note(spot, name, test, side is sides[0]))
            return


def absent_in_a_choice(spot: Spot) -> Iterator[Step]:
    """`jnp.where(rate > 0, noisy(key, x), x)`, traced with `key=None` → its other side where key is None."""
    code = spot.code
    if not _is_other(spot):
        return
    for node in code.ancestors(spot.node):
        if isinstance(node, ast.stmt | ast.Lambda):
            return
        if isinstance(node, ast.Call) and code.src(node.func).endswith("where") and len(node.args) == 3:
            test, *sides = node.args
            for side, other in (sides, sides[::-1]):
                name = _absent(spot, side)
                if name and spot.node in code.below(side) and name not in {*loaded([other]), *loaded([test])}:
                    text = f"({code.src(node)} if {name} is not None else {code.expr(other)})"
                    yield spot.step("if", (node, text), note=_note(spot, name, test, side is sides[0]))
                    return


def _is_other(spot: Spot) -> bool:
    """Whether it is no matter of tracers that stopped the trace."""
    return isinstance(spot.error, TypeError | AttributeError | ValueError) and not isinstance(
        spot.error, jax.errors.JAXTypeError
    )


def _absent(spot: Spot, side: ast.expr) -> str:
    """A parameter that was left out and is None, and that a side needs, also within a loop's own function; "" where there is
    none."""
    if not isinstance(spot.function, ast.FunctionDef):
        return ""
    around = [node for node in (spot.function, *spot.code.ancestors(spot.function)) if isinstance(node, ast.FunctionDef)]
    optional = {name for function in around for name in none_by_default(function.args)}
    named = sorted(optional & _names_in(spot, side))
    return next((name for name in named if name in spot.locals and spot.locals[name] is None), "")


def _names_in(spot: Spot, side: ast.expr) -> set[str]:
    """The names that a side reads; of a function of the text its own."""
    if isinstance(side, ast.Name) and spot.function is not None:
        for node in spot.code.below(spot.function):
            if isinstance(node, ast.FunctionDef) and node.name == side.id:
                return {*loaded(node.body)}
    return {*loaded([side])}


def _note(spot: Spot, name: str, test: ast.expr, needed_where: bool) -> str:
    """What is to be said of a call without the argument, which a side needs where the test is `needed_where`; nothing where
    the test is the opposite without it (`has_w = w is not None and w.sum() != 0`), so that plain Python needs none either."""
    if _without(spot, name, test) is (not needed_where):
        return ""
    text = spot.code.src(test)
    return f"without {name} plain Python fails or not as `{text}` decides; compiled, it takes the side that needs no {name}"


def _without(spot: Spot, name: str, test: ast.expr) -> bool | None:
    """What a test is where an argument is None, if that is known: a flag that asks for it first."""
    around = [node for node in spot.code.ancestors(test) if isinstance(node, ast.FunctionDef)]
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=flag) | ast.Call(func=ast.Attribute(attr="logical_not"), args=[flag]):
            known = _without(spot, name, flag)
            return None if known is None else not known
        case ast.Name(id=flag) if around:
            match bound_once(around[-1], flag):
                case ast.BoolOp(op=ast.And(), values=[first, *_]) if asks_for_none(first, name) is False:
                    return False
    return None


RULES: list[Rule] = [absent_in_a_choice]
OUTWARD: list[Rule] = [absent_in_a_branch]

__all__ = ["OUTWARD", "RULES"]
