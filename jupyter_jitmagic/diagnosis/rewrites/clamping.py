"""Numbers kept between two limits: `min(max(x, 0.0), 1.0)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from jupyter_jitmagic.diagnosis.rewrites.over_items import LONG
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step

_NUMBER = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.USub, ast.Add, ast.Sub, ast.Mult, ast.Div)


def clamped(spot: Spot) -> Iterator[Step]:
    """`min(max(x, a), b)` → `jnp.where(a > x, a, jnp.where(b < x, b, x))` for numbers `a < b`: Python's answer and its gradient
    at a limit, of which `jnp.clip` gives half, and for NaN; of whole numbers, which have none, `jnp.clip(x, a, b)`."""
    node = spot.call("max", "min")
    around = spot.code.parents[node] if node is not None else None
    if node is None or not isinstance(around, ast.Call) or not _of_two(spot, node) or not _of_two(spot, around):
        return
    if spot.code.src(around.func) == spot.code.src(node.func) or node not in around.args:
        return
    inner, outer = _limit(node), _limit(around)
    if inner is None or outer is None:
        return
    value = node.args[1 - node.args.index(inner.node)]
    low, high = (inner, outer) if spot.code.src(node.func) == "max" else (outer, inner)
    if _number(value) is not None or len(spot.code.src(value)) > LONG or not low.number < high.number:
        return
    fact = spot.fact(value)
    if fact is not None and fact.dtype in ("i", "u") and type(low.number) is type(high.number) is int:
        yield spot.step("clip", (around, f"{spot.jnp('clip')}({', '.join(map(spot.code.expr, (value, low.node, high.node)))})"))
    within = _chosen(spot, around, outer, outer is low, value, spot.code.expr(value))
    yield spot.step("where", (around, _chosen(spot, node, inner, inner is low, value, within)))


class _Limit(NamedTuple):
    node: ast.expr
    number: float


def _limit(call: ast.Call) -> _Limit | None:
    """The number among two arguments."""
    return next((_Limit(each, number) for each in call.args if (number := _number(each)) is not None), None)


def _chosen(spot: Spot, call: ast.Call, limit: _Limit, is_low: bool, value: ast.expr, otherwise: str) -> str:
    """Python's `max(value, limit)`, or `min`: what stands first stays where neither is larger, or one is NaN."""
    code, where, larger = spot.code, spot.jnp("where"), ">" if is_low else "<"
    limits, values, kept = code.compared(limit.node), code.compared(value), code.expr(limit.node)
    if call.args[0] is limit.node:
        return f"{where}({values} {larger} {limits}, {otherwise}, {kept})"
    return f"{where}({limits} {larger} {values}, {kept}, {otherwise})"


def _of_two(spot: Spot, node: ast.Call) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="max" | "min" as name), args=[one, two], keywords=[]):
            return spot.is_builtin(name) and not any(isinstance(each, ast.Starred) for each in (one, two))
    return False


def _number(node: ast.expr) -> float | None:
    """The number that is written in the code, as `1 - 1e-7`; None where it is none."""
    parts = list(ast.walk(node))
    if not all(isinstance(each, _NUMBER) for each in parts):
        return None
    if not all(type(each.value) in (int, float) for each in parts if isinstance(each, ast.Constant)):
        return None
    try:
        value: float = eval(compile(ast.Expression(node), "<number>", "eval"), {})  # noqa: S307 (numbers alone)
    except ArithmeticError:
        return None
    return value


RULES: list[Rule] = [clamped]
