"""Items put into one of several lists by a number that is data: `inbox[t].append(v)`, as messages to the nodes of a graph.

All items go into one array, and the numbers of their lists into another: `inbox[k]` is `items[places == k]`, a selection,
which other rules follow.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.emptiness import is_asked
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, loaded, stored, walk

_Edits = list[tuple[ast.AST | tuple[int, int], str]]


class _OtherUse(Exception):
    """It is used in a way for which a selection cannot stand."""


class _Lists:
    """`inbox = [[] for _ in range(n)]`, and what is done with it."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, name: str, made: ast.Assign, count: ast.expr) -> None:
        self.spot, self.code, self.function, self.name = spot, spot.code, function, name
        self.made, self.count, self.number = made, spot.code.src(count), spot.code.operand(count)
        self.items, self.places = spot.code.fresh(f"{name}_items", f"items_of_{name}"), spot.code.fresh(f"{name}_places")
        self.label = spot.code.fresh("k", "place", f"place_of_{name}")

    def edits(self) -> _Edits:
        code, indent = self.code, self.code.indent(self.made)
        edits: _Edits = [(code.region([self.made]), f"{indent}{self.items} = []\n{indent}{self.places} = []\n")]
        filling: list[ast.stmt] = []
        reads: list[ast.Name] = []
        for node in walk(self.function):
            if not isinstance(node, ast.Name) or node.id != self.name or not isinstance(node.ctx, ast.Load):
                continue
            put = _put(code.statement(node), self.name)
            if put is None:
                reads.append(node)
                continue
            statement, (place, item) = code.statement(node), put
            if not code.on_own_lines([statement]) or not self._is_alike(item):
                raise _OtherUse
            inner = code.indent(statement)
            number = code.expr(place)
            if not isinstance(place, ast.Name | ast.Subscript):  # it is computed, and counts from the end where it is negative
                number = f"{code.operand(place)} % {self.number}"
            lines = f"{inner}{self.items}.append({code.expr(item)})\n{inner}{self.places}.append({number})\n"
            edits.append((code.region([statement]), lines))
            filling.append(self._outermost(statement))
        last = max(filling, key=lambda each: each.end_lineno or 0)
        if not reads or any(node.lineno <= (last.end_lineno or 0) for node in reads) or not code.on_own_lines([last]):
            raise _OtherUse
        array, end = self.spot.jnp("array"), code.region([last])[1]
        made = f"{indent}{self.items} = {array}({self.items})\n{indent}{self.places} = {array}({self.places})\n"
        edits.append(((end, end), made))
        for node in reads:
            edits += self._read(node)
        return edits

    def _is_alike(self, item: ast.expr) -> bool:
        fact = self.spot.fact(item)
        return fact is not None and fact.ndim >= 0 and fact.sort in ("array", "number", "host")

    def _outermost(self, statement: ast.stmt) -> ast.stmt:
        """The statement beside the one that makes the lists within which another stands."""
        block = self.code.block(self.made)
        for at in (statement, *self.code.ancestors(statement)):
            if isinstance(at, ast.stmt) and at in block:
                return at
        raise _OtherUse

    def _chosen(self, place: str) -> str:
        return f"{self.items}[{self.places} == {place}]"

    def _read(self, node: ast.Name) -> _Edits:
        code = self.code
        parent = code.parents[node]
        match parent, code.parents[parent]:
            case ast.Subscript(value=value, slice=place, ctx=ast.Load()), _ if value is node:
                if isinstance(place, ast.Slice | ast.Tuple | ast.UnaryOp):
                    raise _OtherUse
                return [self._in_place_of(parent, self._chosen(code.operand(place)))]
            case ast.Call(func=ast.Name(id="len")), _ if self.spot.is_builtin("len"):
                return [(parent, self.number)]
            case ast.For() | ast.comprehension() as around, _ if around.iter is node:
                return self._run_over(around, node, around.target)
            case ast.Call(func=ast.Name(id="enumerate"), keywords=[]) as read, ast.For() | ast.comprehension() as around:
                if around.iter is read and self.spot.is_builtin("enumerate"):
                    return self._run_over(around, read, around.target)
        raise _OtherUse

    def _run_over(self, around: ast.For | ast.comprehension, read: ast.expr, target: ast.expr) -> _Edits:
        """A loop over the lists, or over their numbers and them, as one over their numbers."""
        place, code = self.label, self.code
        match target:
            case ast.Name(id=each) if read is around.iter and isinstance(read, ast.Name):
                pass
            case ast.Tuple(elts=[ast.Name(id=place), ast.Name(id=each)]) if isinstance(read, ast.Call):
                pass
            case _:
                raise _OtherUse
        edits: _Edits = [(read, f"range({self.count})"), (target, place)]
        inside = walk(around) if isinstance(around, ast.For) else walk(code.parents[around])
        names = [node for node in inside if isinstance(node, ast.Name) and node.id == each and isinstance(node.ctx, ast.Load)]
        if isinstance(around, ast.For):
            first = around.body[0]
            if not code.on_own_lines([first]):
                raise _OtherUse
            start = code.region([first], comments=True)[0]
            line = f"{code.indent(first)}{each} = {self._chosen(place)}\n"
            return [*edits, ((start, start), line), *(self._in_place_of(node, each) for node in names)]
        if not isinstance(code.parents[around], COMPREHENSIONS) or any(isinstance(node, SCOPES) for node in inside):
            raise _OtherUse
        return [*edits, *(self._in_place_of(node, self._chosen(place)) for node in names)]

    def _in_place_of(self, node: ast.expr, text: str) -> tuple[ast.AST, str]:
        """The selection in the place of a list: an array already; whether it has items is asked by their number."""
        parent = self.code.parents[node]
        match parent:
            case ast.Call(func=ast.Attribute(value=owner, attr="array" | "asarray" | "stack"), args=[_], keywords=[]):
                if is_module(self.spot, owner):
                    return parent, text
            case ast.UnaryOp(op=ast.Not()):
                none = f"len({text}) == 0"
                return parent, f"({none})" if isinstance(self.code.parents[parent], ast.BoolOp) else none
        return node, f"len({text}) > 0" if is_asked(self.spot, node) else text


def put_into_lists(spot: Spot) -> Iterator[Step]:
    """`inbox[t].append(v)`, later `[sum(m) for m in inbox]`."""
    function, code, node = spot.function, spot.code, spot.node
    if not isinstance(function, ast.FunctionDef) or not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        return
    name = node.value.id
    if _put(code.statement(node), name) is None:
        return
    stores = [
        each for each in walk(function) if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Store)
    ]
    made = code.statement(stores[0]) if len(stores) == 1 else None
    match made:
        case ast.Assign(
            targets=[ast.Name()],
            value=ast.ListComp(
                elt=ast.List(elts=[]),
                generators=[
                    ast.comprehension(
                        target=ast.Name(), iter=ast.Call(func=ast.Name(id="range"), args=[count], keywords=[]), ifs=[]
                    )
                ],
            ),
        ) if spot.is_builtin("range") and code.on_own_lines([made]):
            pass
        case _:
            return
    asked = loaded([count])
    if any(isinstance(each, ast.stmt) and each.lineno > made.lineno and asked & set(stored([each])) for each in walk(function)):
        return  # how many lists there are is asked again below
    try:
        edits = _Lists(spot, function, name, made, count).edits()
    except _OtherUse:
        return
    yield spot.step("mask", *edits, excludes=NEGATIVE)


def _put(statement: ast.stmt, name: str) -> tuple[ast.expr, ast.expr] | None:
    """(place, item) of `name[place].append(item)`."""
    match statement:
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Subscript(value=ast.Name(id=lists), slice=place), attr="append"),
                args=[item],
                keywords=[],
            )
        ) if lists == name and not isinstance(item, ast.Starred):
            return place, item
    return None


RULES: list[Rule] = [put_into_lists]
