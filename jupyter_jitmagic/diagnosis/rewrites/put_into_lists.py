"""Items put into one of several lists by a number that is data: `inbox[t].append(v)`, as messages to the nodes of a graph.

All items go into one array, and the numbers of their lists into another: `inbox[k]` is `items[places == k]`, a selection,
which other rules follow. Where data says whether an item is put there at all (`if near: nb[i].append(j)`), a third array does.
"""

from __future__ import annotations

import ast
import collections
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.emptiness import is_asked
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, loaded, stored, walk

_Edits = list[tuple[ast.AST | tuple[int, int], str]]


class _OtherUse(Exception):
    """It is used in a way for which a selection cannot stand."""


class _Lists:
    """`inbox = [[] for _ in range(n)]`, and what is done with it."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, name: str, made: ast.Assign, count: ast.expr | None) -> None:
        self.spot, self.code, self.function, self.name = spot, spot.code, function, name
        self.made, self.is_dict = made, not isinstance(made.value, ast.ListComp)
        self.count, self.number = (spot.code.src(count), spot.code.operand(count)) if count is not None else ("", "")
        self.items, self.places = spot.code.fresh(f"{name}_items", f"items_of_{name}"), spot.code.fresh(f"{name}_places")
        self.kept, self.guards = spot.code.fresh(f"{name}_kept", f"kept_of_{name}"), list[ast.If]()
        self.label = spot.code.fresh("k", "place", f"place_of_{name}")

    def edits(self) -> _Edits:
        code, indent = self.code, self.code.indent(self.made)
        edits: _Edits = []
        self.guards = [node for node in walk(self.function) if isinstance(node, ast.If) and _puts_alone(node, self.name)]
        filling: list[ast.stmt] = []
        reads: list[ast.Name] = []
        for node in walk(self.function):
            if not isinstance(node, ast.Name) or node.id != self.name or not isinstance(node.ctx, ast.Load):
                continue
            put = _put(code.statement(node), self.name)
            if put is None:
                reads.append(node)
                continue
            statement, guard = code.statement(node), code.parents[code.statement(node)]
            if not code.on_own_lines([statement]) or not self._is_alike(put[1]):
                raise _OtherUse
            filling.append(self._outermost(statement))
            if guard not in self.guards:
                edits.append((code.region([statement]), self._put(code.indent(statement), *put, "True")))
        for guard in self.guards:
            edits.append((code.region([guard]), self._below(guard)))
        last = max(filling, key=lambda each: each.end_lineno or 0)
        if not reads or any(node.lineno <= (last.end_lineno or 0) for node in reads) or not code.on_own_lines([last]):
            raise _OtherUse
        arrays = [self.items, self.places, *([self.kept] if self.guards else [])]
        edits.append((code.region([self.made]), "".join(f"{indent}{each} = []\n" for each in arrays)))
        array, end = self.spot.jnp("array"), code.region([last])[1]
        given = [f"{each}, bool" if each == self.kept else each for each in arrays]  # there may be none
        edits.append(((end, end), "".join(f"{indent}{e} = {array}({g})\n" for e, g in zip(arrays, given, strict=True))))
        for node in reads:
            edits += self._read(node)
        return edits

    def _put(self, indent: str, place: ast.expr, item: ast.expr, test: str) -> str:
        """The lines that put an item."""
        code = self.code
        number = code.expr(place)
        if not (self.is_dict or isinstance(place, ast.Name | ast.Subscript)):
            number = f"{code.operand(place)} % {self.number}"  # computed, it counts from the end where it is negative
        lines = [f"{self.items}.append({code.expr(item)})", f"{self.places}.append({number})"]
        lines += [f"{self.kept}.append({test})"] if self.guards else []
        return "".join(f"{indent}{line}\n" for line in lines)

    def _below(self, guard: ast.If) -> str:
        """The same for all that is put below a test."""
        code, indent, puts = self.code, self.code.indent(guard), [_put(each, self.name) for each in guard.body]
        if code.is_elif(guard) or not code.on_own_lines([guard]) or not harmless([put[1] for put in puts if put is not None]):
            raise _OtherUse
        several = len(puts) > 1 and not isinstance(guard.test, ast.Name)
        test = code.fresh("put", "is_put") if several else code.expr(guard.test)
        first = f"{indent}{test} = {code.expr(guard.test)}\n" if several else ""
        return first + "".join(self._put(indent, *put, test) for put in puts if put is not None)

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
        return (
            f"{self.items}[({self.places} == {place}) & {self.kept}]"
            if self.guards
            else f"{self.items}[{self.places} == {place}]"
        )

    def _read(self, node: ast.Name) -> _Edits:
        code = self.code
        parent = code.parents[node]
        match parent, code.parents[parent]:
            case ast.Subscript(value=value, slice=place, ctx=ast.Load()), _ if value is node:
                if isinstance(place, ast.Slice | ast.Tuple | ast.UnaryOp):
                    raise _OtherUse
                return [self._in_place_of(parent, self._chosen(code.operand(place)))]
            case ast.Attribute(attr="get"), ast.Call(args=[place, ast.List(elts=[]) | ast.Tuple(elts=[])], keywords=[]) as read:
                if self.is_dict and read.func is parent:
                    return [self._in_place_of(read, self._chosen(code.operand(place)))]
            case ast.Call(func=ast.Name(id="len")), _ if self.spot.is_builtin("len") and self.number:
                return [(parent, self.number)]
            case _ if self.is_dict:  # which keys there are, and in which order, nobody knows
                raise _OtherUse
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
    node = spot.node
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        name = node.value.id
        if _put(spot.code.statement(node), name) is not None:
            yield from _as_selections(spot, name, dicts=False)


def put_below_a_test(spot: Spot) -> Iterator[Step]:
    """`if near: nb[i].append(j)`, later `[len(each) for each in nb]`; also of a dict, `adj.setdefault(i, []).append(j)`."""
    asked = spot.asked()
    if asked is not None and isinstance(asked[1], ast.If):
        for name in sorted(loaded(asked[1].body)):
            if _puts_alone(asked[1], name):
                yield from _as_selections(spot, name, dicts=True)


def _as_selections(spot: Spot, name: str, dicts: bool) -> Iterator[Step]:
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    stores = [
        each for each in walk(function) if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Store)
    ]
    made = code.statement(stores[0]) if len(stores) == 1 else None
    if not isinstance(made, ast.Assign) or not isinstance(made.targets[0], ast.Name) or not code.on_own_lines([made]):
        return
    count = _count(spot, made.value)
    if count is None and not (dicts and _is_empty_dict(spot, made.value)):
        return
    if isinstance(made.value, ast.DictComp) and not dicts:
        return
    asked = loaded([count]) if count is not None else set()
    if any(isinstance(each, ast.stmt) and each.lineno > made.lineno and asked & set(stored([each])) for each in walk(function)):
        return  # how many lists there are is asked again below
    try:
        edits = _Lists(spot, function, name, made, count).edits()
    except _OtherUse:
        return
    yield spot.step("mask", *edits, excludes=NEGATIVE)


def _count(spot: Spot, made: ast.expr) -> ast.expr | None:
    """How many lists there are: n of `[[] for _ in range(n)]`, `{i: [] for i in range(n)}`."""
    match made:
        case ast.ListComp(elt=ast.List(elts=[]), generators=[ast.comprehension(target=ast.Name(), iter=counted, ifs=[])]):
            pass
        case ast.DictComp(
            key=ast.Name(id=key),
            value=ast.List(elts=[]),
            generators=[ast.comprehension(target=ast.Name(id=name), iter=counted, ifs=[])],
        ) if key == name:
            pass
        case _:
            return None
    match counted:
        case ast.Call(func=ast.Name(id="range"), args=[count], keywords=[]) if spot.is_builtin("range"):
            return count
    return None


def _is_empty_dict(spot: Spot, made: ast.expr) -> bool:
    match made:
        case ast.Dict(keys=[]):
            return True
        case ast.Call(func=func, args=[ast.Name(id="list")], keywords=[]):
            return spot.value(func) is collections.defaultdict and spot.is_builtin("list")
    return False


def _puts_alone(node: ast.If, name: str) -> bool:
    """Whether nothing is done below a test but that items are put into these lists."""
    return not node.orelse and all(_put(each, name) is not None for each in node.body)


def _put(statement: ast.stmt, name: str) -> tuple[ast.expr, ast.expr] | None:
    """(place, item) of `name[place].append(item)`, `name.setdefault(place, []).append(item)`."""
    match statement:
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Subscript(value=ast.Name(id=lists), slice=place), attr="append"),
                args=[item],
                keywords=[],
            )
        ) if lists == name and not isinstance(item, ast.Starred):
            return place, item
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(
                    value=ast.Call(
                        func=ast.Attribute(value=ast.Name(id=lists), attr="setdefault"), args=[place, ast.List(elts=[])]
                    ),
                    attr="append",
                ),
                args=[item],
                keywords=[],
            )
        ) if lists == name and not isinstance(item, ast.Starred):
            return place, item
    return None


RULES: list[Rule] = [put_into_lists, put_below_a_test]
