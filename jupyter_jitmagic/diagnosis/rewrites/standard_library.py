"""Python's own functions on lists: `bisect`, `heapq.nsmallest`, `len(set(x.tolist()))`, `for layer in layers[:depth]`."""

from __future__ import annotations

import ast
import bisect
import heapq
import itertools
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.proof.ordering import UNORDERED
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import SLICE_ERRORS, traced

_SIDES = {bisect.bisect_left: "", bisect.bisect_right: ', side="right"'}
_IN_ORDER = {UNORDERED: "a search in what is in no order", "nan": "the place that a search gives to NaN"}
_EXTREMES = {max: "cummax", min: "cummin"}
_NAN = {"nan": "the order that Python's own functions give to NaN"}


def bisected(spot: Spot) -> Iterator[Step]:
    """`bisect.bisect(points, v)` → `jnp.searchsorted(jnp.asarray(points), v, side="right")`."""
    node = _call_inside(spot)
    if node is None or len(node.args) != 2 or node.keywords:
        return
    side = _SIDES.get(spot.value(node.func))
    if side is not None:
        points, value = map(spot.code.expr, node.args)
        text = f"{spot.jnp('searchsorted')}({spot.jnp('asarray')}({points}), {value}{side})"
        yield spot.step("searchsorted", (node, text), excludes=_IN_ORDER)


def smallest(spot: Spot) -> Iterator[Step]:
    """`heapq.nsmallest(k, xs)` → `jnp.sort(jnp.asarray(xs))[:k]`; of the largest the order is turned round."""
    node = _call_inside(spot)
    if node is None or len(node.args) != 2 or node.keywords:
        return
    function = spot.value(node.func)
    if function in (heapq.nsmallest, heapq.nlargest):
        count, values = map(spot.code.expr, node.args)
        turned = "[::-1]" if function is heapq.nlargest else ""
        text = f"{spot.jnp('sort')}({spot.jnp('asarray')}({values})){turned}[:{count}]"
        yield spot.step("sort", (node, text), excludes=_NAN)
        yield spot.step("sort", (node, f"list({text})"), excludes=_NAN)


def accumulated(spot: Spot) -> Iterator[Step]:
    """`itertools.accumulate(x, max)` → `jax.lax.cummax(jnp.asarray(x))`."""
    inside = [node for node in ast.walk(spot.node) if isinstance(node, ast.Call)]
    for node in [*inside, *(at for at in spot.code.ancestors(spot.node) if isinstance(at, ast.Call))]:
        if spot.value(node.func) is itertools.accumulate and len(node.args) == 2 and not node.keywords:
            name = _EXTREMES.get(spot.value(node.args[1]))
            if name is not None:
                text = f"{spot.lax(name)}({spot.jnp('asarray')}({spot.code.expr(node.args[0])}))"
                yield spot.step(name, (node, text), excludes=_NAN)
            return


def _call_inside(spot: Spot) -> ast.Call | None:
    """The call at which the trace stopped, inside of which Python's own code asks for values."""
    return spot.node if isinstance(spot.node, ast.Call) else None


def different_ones(spot: Spot) -> Iterator[Step]:
    """`len(set(x.tolist()))` → `len(jnp.unique(x))`."""
    code = spot.code
    match spot.node:
        case ast.Call(func=ast.Attribute(value=array, attr="tolist"), args=[], keywords=[]) as node:
            pass
        case _:
            return
    made = code.parents[node]
    length = code.parents[made]
    match length:
        case ast.Call(func=ast.Name(id="len"), args=[ast.Call(func=ast.Name(id="set"), args=[inner])]) if inner is node:
            if spot.is_builtin("len") and spot.is_builtin("set") and (fact := spot.fact(array)) is not None and fact.ndim == 1:
                yield spot.step("unique", (made, f"{spot.jnp('unique')}({code.src(array)})"), excludes=_NAN)


def rounds_of_a_part(spot: Spot) -> Iterator[Step]:
    """`for layer in layers[:depth]:` of a list → `for k in range(min(depth, len(layers))):` and `layer = layers[k]`."""
    code, node = spot.code, spot.node
    if not isinstance(node, ast.Subscript) or type(spot.error).__name__ not in SLICE_ERRORS:
        return
    loop = code.parents[node]
    match node.slice:
        case ast.Slice(lower=None, upper=ast.expr() as upper, step=None) if traced(spot, upper):
            pass
        case _:
            return
    if not isinstance(loop, ast.For) or loop.iter is not node or not isinstance(spot.value(node.value), list | tuple):
        return
    if not code.on_own_lines([loop.body[0]]):
        return
    place, items = code.fresh("k", "place", "number"), code.src(node.value)
    start = code.region([loop.body[0]], comments=True)[0]
    line = f"{code.indent(loop.body[0])}{code.src(loop.target)} = {items}[{place}]\n"
    head = f"range({spot.jnp('minimum')}({code.expr(upper)}, len({items})))"
    excludes = {"negative int": "a negative bound, which counts from the end"}
    yield spot.step("range", (loop.target, place), (node, head), ((start, start), line), excludes=excludes)


RULES: list[Rule] = [bisected, smallest, accumulated, different_ones, rounds_of_a_part]

__all__ = ["RULES"]
