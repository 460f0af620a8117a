"""Lists of numbers that Python keeps in order: `top.sort()`, `heapq.heappush(heap, v)`, `bisect.insort(found, v)`.

How many there are is known while tracing; a heap is a list whose first item is the least, as that of a sorted one.
"""

from __future__ import annotations

import ast
import bisect
import heapq
from collections.abc import Iterator

import jax

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.sorting import BESIDE_NAN, has_no_other_name
from jupyter_jitmagic.source.names import walk, walk_scope

_ADDING = (heapq.heappush, bisect.insort, bisect.insort_left, bisect.insort_right)
_IN_PLACE = (*_ADDING, heapq.heapify, heapq.heappop, heapq.heapreplace, heapq.heappushpop)


def kept_sorted(spot: Spot) -> Iterator[Step]:
    """`heapq.heappush(heap, v)` → `heap = list(jnp.sort(jnp.array([*heap, v])))`, with all that is done to that list."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    asked = spot.asked()
    around = asked[1] if asked is not None and isinstance(asked[1], ast.If) else None
    calls = [spot.node] if around is None else walk_scope([*around.body, *around.orelse])
    for name in dict.fromkeys(_kept(spot, each) for each in calls if isinstance(each, ast.Call)):
        edits = _edits(spot, function, name) if name and has_no_other_name(spot, name) else []
        if edits:
            yield spot.step("sort", *edits, excludes=BESIDE_NAN)
            return


def _edits(spot: Spot, function: ast.FunctionDef, name: str) -> list[tuple[ast.AST | tuple[int, int], str]]:
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    for node in walk(function):
        if isinstance(node, ast.Call) and _kept(spot, node) == name:
            new = _in_order(spot, node, name)
            if new is None:
                return []
            edits.append((node, new))
    return edits


def _kept(spot: Spot, node: ast.Call) -> str:
    """The list that a call changes."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="sort"), args=[]):
            return name if isinstance(spot.locals.get(name), list | jax.core.Tracer) else ""
        case ast.Call(func=function, args=[ast.Name(id=name), *_], keywords=[]) if isinstance(spot.locals.get(name), list):
            value = spot.value(function)
            return name if any(value is each for each in _IN_PLACE) else ""
    return ""


def _in_order(spot: Spot, node: ast.Call, name: str) -> str | None:
    """What stands for such a call; None where nothing does."""
    alone = isinstance(spot.code.parents[node], ast.Expr)
    match node:
        case ast.Call(func=ast.Attribute(attr="sort"), keywords=keywords):
            if any(each.arg != "reverse" or not isinstance(each.value, ast.Constant) for each in keywords):
                return None
            backwards = "[::-1]" if any(each.value.value for each in keywords if isinstance(each.value, ast.Constant)) else ""
            if isinstance(spot.locals.get(name), jax.core.Tracer):  # what sorted() gave before
                return f"{name} = {spot.jnp('sort')}({name}){backwards}"
            return _sorted(spot, name, name, backwards)
        case ast.Call(args=[_]) if spot.value(node.func) is heapq.heappop:
            return f"{name}.pop(0)"
        case ast.Call(args=[_]):
            return _sorted(spot, name, name) if alone else None
        case ast.Call(args=[_, value]) if alone and _is_number(spot, value):
            kept = f"*{name}[1:]" if spot.value(node.func) is heapq.heapreplace else f"*{name}"
            less = "[1:]" if spot.value(node.func) is heapq.heappushpop else ""
            return _sorted(spot, name, f"[{kept}, {spot.code.expr(value)}]", less)
    return None


def _sorted(spot: Spot, name: str, items: str, cut: str = "") -> str:
    return f"{name} = list({spot.jnp('sort')}({spot.jnp('array')}({items})){cut})"


def _is_number(spot: Spot, node: ast.expr) -> bool:
    fact = spot.fact(node)
    return fact is not None and fact.ndim == 0 and fact.sort in ("array", "number", "host")


RULES: list[Rule] = [kept_sorted]
