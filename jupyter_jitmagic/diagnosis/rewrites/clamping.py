"""Numbers kept between two limits: `min(max(x, 0.0), 1.0)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step

_LONG = 30  # characters of an expression that no one writes three times
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
    inner = next((each for each in node.args if _number(each) is not None), None)
    outer = next((each for each in around.args if _number(each) is not None), None)
    if inner is None or outer is None:
        return
    value = node.args[1 - node.args.index(inner)]
    low, high = (inner, outer) if spot.code.src(node.func) == "max" else (outer, inner)
    if _number(value) is not None or len(spot.code.src(value)) > _LONG or not _number(low) < _number(high):  # type: ignore[operator]
        return
    fact = spot.fact(value)
    if fact is not None and fact.dtype in ("i", "u") and all(type(_number(each)) is int for each in (low, high)):
        yield spot.step("clip", (around, f"{spot.jnp('clip')}({', '.join(map(spot.code.expr, (value, low, high)))})"))
    within = _chosen(spot, around.args.index(outer) == 0, low is outer, outer, value, spot.code.expr(value))
    text = _chosen(spot, node.args.index(inner) == 0, low is inner, inner, value, within)
    yield spot.step("where", (around, text))


def _chosen(spot: Spot, first: bool, is_low: bool, limit: ast.expr, value: ast.expr, otherwise: str) -> str:
    """Python's `max(value, limit)`, or `min`: what stands first stays where neither is larger, or one is NaN."""
    code, where = spot.code, spot.jnp("where")
    limits, values, kept = code.compared(limit), code.compared(value), code.expr(limit)
    if first:
        return f"{where}({values} {'>' if is_low else '<'} {limits}, {otherwise}, {kept})"
    return f"{where}({limits} {'>' if is_low else '<'} {values}, {kept}, {otherwise})"


def _of_two(spot: Spot, node: ast.Call) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="max" | "min" as name), args=[one, two], keywords=[]):
            return spot.is_builtin(name) and not any(isinstance(each, ast.Starred) for each in (one, two))
    return False


def _number(node: ast.expr) -> float | None:
    """The number that is written in the code, as `1 - 1e-7`; None where it is none."""
    if not all(isinstance(each, _NUMBER) for each in ast.walk(node)):
        return None
    try:
        value = eval(compile(ast.Expression(node), "<number>", "eval"), {})  # noqa: S307 (numbers alone)
    except (ArithmeticError, TypeError):
        return None
    return value if isinstance(value, int | float) else None


RULES: list[Rule] = [clamped]
