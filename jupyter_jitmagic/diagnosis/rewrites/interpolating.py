"""SciPy's `interp1d`, made in the function or before it → `jnp.interp`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from jupyter_jitmagic.diagnosis.proof.ordering import UNORDERED
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step

_NOTE = "a place outside of the points gives NaN, for which SciPy raises ValueError"
_EXCLUDES = {UNORDERED: "points that are not in increasing order, which SciPy sorts", "nan": "NaN among the points"}


def made_here(spot: Spot) -> Iterator[Step]:
    """`f = interp1d(x, y)` → `f = lambda v: jnp.interp(v, x, y, …)`."""
    node = spot.node
    if not isinstance(node, ast.Call) or (kind := _interp1d()) is None or spot.value(node.func) is not kind:
        return
    given: dict[str, ast.expr] = {each.arg or "**": each.value for each in node.keywords}
    given |= dict(zip(("x", "y", "kind"), node.args, strict=False))
    if len(node.args) > 3 or set(given) - {"x", "y", "kind", "bounds_error", "fill_value"} or not {"x", "y"} <= set(given):
        return
    if not _is(given.get("kind"), "linear", None):
        raise Obstacle("jax.numpy interpolates along straight lines alone, SciPy's interp1d otherwise is computed on the host")
    points = spot.fact(given["y"])
    if points is None or points.ndim != 1:
        return
    fill = given.get("fill_value")
    raises = not _is(given.get("bounds_error"), False) if fill is None else _is(given.get("bounds_error"), True)
    sides = (spot.jnp("nan"),) * 2
    if fill is not None and not raises:
        pair = fill.elts if isinstance(fill, ast.Tuple) and len(fill.elts) == 2 else (fill, fill)
        sides = (spot.code.src(pair[0]), spot.code.src(pair[1]))
    value = spot.code.fresh("v", "place")
    arrays = f"{spot.code.expr(given['x'])}, {spot.code.expr(given['y'])}"
    text = f"lambda {value}: {spot.jnp('interp')}({value}, {arrays}, left={sides[0]}, right={sides[1]})"
    around = spot.code.parents[node]
    text = f"({text})" if isinstance(around, ast.Call) and around.func is node else text
    excludes = _EXCLUDES
    if _is(fill, "extrapolate"):
        excludes = excludes | {"size": "one point, through which SciPy's straight line is NaN"}
    yield spot.step("jnp", (node, text), excludes=excludes, note=_NOTE if raises else "")


def made_before(spot: Spot) -> Iterator[Step]:
    """`f(v)`, f an `interp1d` of the notebook's → `jnp.interp(v, f.x, f.y, …)`."""
    node = spot.node
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords or (kind := _interp1d()) is None:
        return
    made: Any = spot.value(node.func)
    if type(made) is not kind or np.ndim(made.y) != 1:
        return
    if made._kind != "linear":
        raise Obstacle("jax.numpy interpolates along straight lines alone, SciPy's interp1d otherwise is computed on the host")
    sides = [spot.jnp("nan")] * 2
    if isinstance(made.fill_value, str):
        sides = [f'"{made.fill_value}"'] * 2
    elif not made.bounds_error:
        pair = made.fill_value if isinstance(made.fill_value, tuple) else (made.fill_value, made.fill_value)
        if any(np.ndim(each) for each in pair):
            return
        sides = [spot.jnp("nan") if np.isnan(each) else repr(float(each)) for each in pair]
    name, place = spot.code.src(node.func), spot.code.expr(node.args[0])
    text = f"{spot.jnp('interp')}({place}, {name}.x, {name}.y, left={sides[0]}, right={sides[1]})"
    yield spot.step("jnp", (node, text), note=_NOTE if made.bounds_error else "")


def _interp1d() -> Any:
    """SciPy's class, where the process has it."""
    return getattr(sys.modules.get("scipy.interpolate"), "interp1d", None)


def _is(node: ast.expr | None, *values: object) -> bool:
    """Whether an option that may be left out (None) is written as one of these."""
    value = node.value if isinstance(node, ast.Constant) else None if node is None else ...
    return any(value is each or (isinstance(each, str) and value == each) for each in values)


RULES: list[Rule] = [made_here, made_before]

__all__ = ["RULES"]
