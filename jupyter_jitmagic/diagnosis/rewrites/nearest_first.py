"""A heap of places by their distances (`heapq`, as in Dijkstra's shortest paths): which places are pending, of which the
nearest is taken.

How many entries such a heap has is data; those that were overtaken stay in it and are skipped. The places that have an entry
are as many as there are distances, and the distance of each is its own.
"""

from __future__ import annotations

import ast
import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import walk

_NEGATIVE = {"negative int": "a negative place, which is another name of one that is pending"}
_Edit = tuple[ast.AST | tuple[int, int], str]


def by_distance(spot: Spot) -> Iterator[Step]:
    """`d, u = heapq.heappop(heap)` in `while heap:`, where `heapq.heappush(heap, (dist[v], v))` follows `dist[v] = …` →
    `u = jnp.argmin(jnp.where(pending, dist, jnp.inf))` in `while jnp.any(pending):`."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    for loop in walk(function):
        if isinstance(loop, ast.While) and (edits := _edits(spot, function, loop)):
            yield spot.step("argmin", *edits, excludes=_NEGATIVE)
            return


@dataclass
class _Heap:
    """The name of a heap, what makes it with its first entry, and what adds further ones in the loop."""

    name: str
    made: list[ast.stmt]
    first: ast.expr
    pushes: list[tuple[ast.stmt, ast.expr, ast.expr]]


def _edits(spot: Spot, function: ast.FunctionDef, loop: ast.While) -> list[_Edit]:
    code, jnp = spot.code, spot.jnp
    match loop.body[0]:
        case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id=at), ast.Name(id=place)])], value=ast.Call() as pop):
            pass
        case _:
            return []
    heap = _heap(spot, function, loop, pop)
    distances = {_distance_of(spot, *push) for push in heap.pushes} if heap is not None else set()
    if heap is None or len(distances) != 1 or not (dist := distances.pop()):
        return []
    pending, indent, inner = code.fresh("pending", "is_pending"), code.indent(loop), code.indent(loop.body[0])
    edits: list[_Edit] = [(code.region([statement]), "") for statement in heap.made]
    start = code.region([loop], comments=True)[0]
    edits.append(
        ((start, start), f"{indent}{pending} = {jnp('zeros')}(len({dist}), bool).at[{code.src(heap.first)}].set(True)\n")
    )
    edits.append((loop.test, f"{jnp('any')}({pending})"))
    nearest = f"{jnp('argmin')}({jnp('where')}({pending}, {jnp('asarray')}({dist}), {jnp('inf')}))"
    lines = [f"{place} = {nearest}", f"{at} = {dist}[{place}]", f"{pending} = {pending}.at[{place}].set(False)"]
    edits.append((code.region([loop.body[0]]), "".join(f"{inner}{line}\n" for line in lines)))
    if len(loop.body) > 1 and _skips_overtaken(spot, loop.body[1], at, f"{dist}[{place}]"):
        edits.append((code.region([loop.body[1]]), ""))
    for statement, _, v in heap.pushes:
        edits.append((code.region([statement]), f"{code.indent(statement)}{pending} = {pending}.at[{code.src(v)}].set(True)\n"))
    return edits


def _heap(spot: Spot, function: ast.FunctionDef, loop: ast.While, pop: ast.Call) -> _Heap | None:
    """The heap that a loop empties, if nothing else is done with it."""
    code = spot.code
    match loop.test, pop.args:
        case ((ast.Name(id=asked) | ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=asked)])), [ast.Name(id=name)]):
            pass
        case ast.Compare(left=ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=asked)]), ops=[ast.Gt()]), [
            ast.Name(id=name)
        ]:
            pass
        case _:
            return None
    if asked != name or spot.value(pop.func) is not heapq.heappop or loop.orelse:
        return None
    inside, heap = {*walk(loop)}, _Heap(name, [], pop, [])
    for use in (node for node in walk(function) if isinstance(node, ast.Name) and node.id == name):
        statement = code.statement(use)
        if statement is loop or use is pop.args[0]:
            continue
        entries = list(_added(spot, statement, name))
        if entries == [None]:
            heap.made.append(statement)
        elif len(entries) != 1 or entries[0] is None or not code.on_own_lines([statement]):
            return None
        elif statement in inside:
            heap.pushes.append((statement, *entries[0]))
        else:
            heap.made.append(statement)
            if heap.first is not pop:
                return None  # several to begin with
            heap.first = entries[0][1]
    return heap if heap.first is not pop and heap.pushes else None


def _added(spot: Spot, statement: ast.stmt, name: str) -> Iterator[tuple[ast.expr, ast.expr] | None]:
    """(distance, place) of what a statement puts into the heap; None where it makes it empty."""
    match statement:
        case ast.Assign(targets=[ast.Name()], value=ast.List(elts=[])):
            yield None
        case ast.Assign(targets=[ast.Name()], value=ast.List(elts=[ast.Tuple(elts=[distance, place])])):
            yield distance, place
        case ast.Expr(value=ast.Call(func=func, args=[ast.Name(id=heap), ast.Tuple(elts=[distance, place])])) if heap == name:
            if spot.value(func) is heapq.heappush:
                yield distance, place


def _distance_of(spot: Spot, statement: ast.stmt, distance: ast.expr, place: ast.expr) -> str:
    """The name of the array that holds the distance with which a place is pushed; "" where none is set beside it."""
    src = spot.code.src
    for each in spot.code.block(statement):
        match each:
            case (
                ast.Assign(targets=[ast.Subscript(value=ast.Name(id=dist), slice=index)], value=value)
                | ast.Assign(
                    targets=[ast.Name(id=dist)],
                    value=ast.Call(
                        func=ast.Attribute(value=ast.Subscript(value=ast.Attribute(attr="at"), slice=index), attr="set"),
                        args=[value],
                    ),
                )
            ):
                if src(index) == src(place) and src(distance) in (src(value), f"{dist}[{src(place)}]"):
                    return dist
    return ""


def _skips_overtaken(spot: Spot, statement: ast.stmt, at: str, distance: str) -> bool:
    """`if d > dist[u]: continue`, which no place that is pending needs."""
    match statement:
        case ast.If(
            test=ast.Compare(left=left, ops=[ast.Gt() | ast.NotEq()], comparators=[right]), body=[ast.Continue()], orelse=[]
        ):
            return spot.code.src(left) == at and spot.code.src(right) == distance
        case ast.If(test=ast.Compare(left=left, ops=[ast.Lt()], comparators=[right]), body=[ast.Continue()], orelse=[]):
            return spot.code.src(right) == at and spot.code.src(left) == distance
    return False


RULES: list[Rule] = [by_distance]
