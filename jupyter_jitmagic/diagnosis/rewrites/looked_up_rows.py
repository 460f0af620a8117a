"""Dicts made of arrays at once, and asked by keys that are data: `rate = {int(k): v for k, v in zip(codes, rates)}`,
`rate.get(int(c), 0.0)`, a join of two tables → the array of keys is asked where it is the same; the last such place counts, as
in a dict. Keys may be tuples, `(int(unit), int(year) - 1)`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.lookups import NO_KEY
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.sorting import without_tolist
from jupyter_jitmagic.source.names import loaded, name_of, uses_of, walk

_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """The dict is made or asked otherwise."""


@dataclass
class _Made:
    """A dict of which the items are known.

    Attributes:
        statement: that makes it, and goes.
        target, over: `k, v` and `zip(codes, rates)` of its loop.
    """

    name: str
    statement: ast.Assign
    target: ast.expr
    over: ast.expr
    key: ast.expr
    value: ast.expr


def by_their_keys(spot: Spot) -> Iterator[Step]:
    """All that is asked of the dict that the statement makes."""
    made = _made(spot)
    if made is None or not isinstance(spot.function, ast.FunctionDef):
        return
    try:
        yield _Join(spot, spot.function, made).step()
    except _Refused:
        return


def _made(spot: Spot) -> _Made | None:
    statement = spot.code.statement(spot.node)
    match statement:
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.DictComp(key=key, value=value, generators=[ast.comprehension(target=target, iter=over, ifs=[])]),
        ):
            return _Made(name, statement, target, over, key, value)
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.Call(
                func=ast.Name(id="dict"), args=[ast.Call(func=ast.Name(id="zip"), args=[_, _]) as over], keywords=[]
            ),
        ) if spot.is_builtin("dict"):
            key, value = ast.Name("key", ast.Load()), ast.Name("value", ast.Load())
            return _Made(name, statement, ast.Tuple([key, value], ast.Load()), over, key, value)
    return None


class _Join:
    """The dict's keys and values as arrays, and the places that ask."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, made: _Made) -> None:
        self.spot, self.code, self.function, self.made = spot, spot.code, function, made
        self.whole = set[str]()
        """The names that run over whole numbers: a float is a key of 64 bits, which none of an array's is."""
        self.columns = self._columns()
        parts = made.key.elts if isinstance(made.key, ast.Tuple) else [made.key]
        self.keys = [self._key(part) for part in parts]
        target = made.statement.targets[0]
        uses = uses_of(function, target) if isinstance(target, ast.Name) else None
        if uses is None or any(use.lineno <= made.statement.lineno for use in uses) or self._change_later():
            raise _Refused
        if not self.code.on_own_lines([made.statement]):
            raise _Refused
        self.uses = uses

    def _change_later(self) -> bool:
        """Whether an array of the dict may be another when it is asked."""
        columns = {name for column in self.columns.values() for name in loaded([ast.parse(column or "0", mode="eval")])}
        stores = (n for n in walk(self.function) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load))
        if any(n.id in columns and n.lineno > self.made.statement.lineno for n in stores):
            return True
        return any(isinstance(at, ast.For | ast.While) for at in self.code.ancestors(self.made.statement))

    def _columns(self) -> dict[str, str]:
        """The array that each name of the loop runs over, as text; of a number of `enumerate`, its places."""
        target, over, found = self.made.target, self.made.over, dict[str, str]()
        match over, target:
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner], keywords=[]), ast.Tuple(
                elts=[ast.Name(id=number), items]
            ) if self.spot.is_builtin("enumerate"):
                over, target, found = inner, items, {number: ""}
        match over, target:
            case ast.Call(func=ast.Name(id="zip"), args=arrays, keywords=[]), ast.Tuple(elts=names) if self.spot.is_builtin(
                "zip"
            ):
                pairs = list(zip(names, arrays, strict=False)) if len(names) == len(arrays) else []
            case _, ast.Name():
                pairs = [(target, over)]
            case _:
                raise _Refused
        lengths = set()
        for name, array in pairs:
            array = without_tolist(array)
            fact = self.spot.fact(array)
            if not isinstance(array, ast.Name) or fact is None or fact.sort != "array" or fact.ndim != 1:
                raise _Refused
            if not isinstance(name, ast.Name):
                raise _Refused
            self.whole |= {name.id} if fact.dtype in ("i", "u") else set()
            found[name.id] = self.code.operand(array)
            lengths.add(fact.shape)
        if len(lengths) != 1:
            raise _Refused
        return found

    def _key(self, part: ast.expr) -> str:
        """The array of keys of which this is one."""
        match part:
            case ast.Call(func=ast.Name(id="int"), args=[ast.Name(id=name)], keywords=[]) if self.spot.is_builtin("int"):
                return f"{self.spot.jnp('asarray')}({self._column(name)}, int)"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="item"), args=[], keywords=[]) | ast.Name(id=name):
                if name in self.whole:
                    return self._column(name)
        raise _Refused

    def _column(self, name: str) -> str:
        if not (column := self.columns.get(name)):
            raise _Refused
        return column

    def _value(self, place: str) -> str:
        """The value at a place."""
        match self.made.value:
            case ast.Name(id=each) if each in self.columns:
                return f"{self.columns[each]}[{place}]" if self.columns[each] else place
            case ast.Call(func=ast.Name(id="int" | "float" as kind), args=[ast.Name(id=each)], keywords=[]):
                if self.spot.is_builtin(kind) and self.columns.get(each):
                    return f"{self.spot.jnp('asarray')}({self.columns[each]}, {kind})[{place}]"
        raise _Refused

    def step(self) -> Step:
        code, made = self.code, self.made
        finds, excludes = code.fresh(f"place_in_{made.name}"), dict[str, str]()
        edits: list[_Edit] = []
        asked = [self._asked(use) for use in self.uses]
        for node, key, default in asked:
            if any(node is not other and node in ast.walk(other) for other, _, _ in asked) or not _is_simple(key):
                raise _Refused
            parts = key.elts if isinstance(key, ast.Tuple) else [key]
            if len(parts) != len(self.keys):
                raise _Refused
            texts = [code.operand(part) for part in parts]
            place = f"{finds}({', '.join(code.expr(part) for part in parts)})"
            same = f"{self.spot.jnp('any')}({self._same(texts)})"
            match node:
                case ast.Compare(ops=[op]):
                    edits.append((node, same if isinstance(op, ast.In) else f"{self.spot.jnp('logical_not')}({same})"))
                case ast.Subscript():
                    edits.append((node, self._value(place)))
                    excludes = NO_KEY
                case _:
                    assert default is not None
                    edits.append((node, f"{self.spot.jnp('where')}({same}, {self._value(place)}, {code.expr(default)})"))
        if not edits:
            raise _Refused
        indent = code.indent(made.statement)
        names = self._names()
        same = code.fresh("same", "is_same")
        jnp = self.spot.jnp
        last = f"{jnp('max')}({jnp('where')}({same}, {jnp('arange')}({same}.size), 0), initial=0)"
        body = f"{indent}    {same} = {self._same(names)}\n{indent}    return {last}\n"
        lines = f"{indent}def {finds}({', '.join(names)}):\n{body}\n"
        gone: list[_Edit] = [(code.region([made.statement]), lines)]
        return self.spot.step("isin", *gone, *edits, excludes=excludes or None)

    def _names(self) -> list[str]:
        """What the parts of a key are called."""
        own = [f"key_{k + 1}" for k in range(len(self.keys))] if len(self.keys) > 1 else ["key"]
        return [self.code.fresh(each, f"asked_{each}") for each in own]

    def _same(self, parts: list[str]) -> str:
        tests = [f"{column} == {part}" for column, part in zip(self.keys, parts, strict=True)]
        return tests[0] if len(tests) == 1 else " & ".join(f"({test})" for test in tests)

    def _asked(self, use: ast.Name) -> tuple[ast.expr, ast.expr, ast.expr | None]:
        """(what asks, by which key, what is given where there is none)."""
        parent = self.code.parents[use]
        call = self.code.parents.get(parent)
        match parent:
            case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[only]) if only is use:
                return parent, key, None
            case ast.Subscript(value=value, slice=key, ctx=ast.Load()) if value is use:
                return parent, key, None
            case ast.Attribute(attr="get") if isinstance(call, ast.Call) and call.func is parent and len(call.args) == 2:
                if not isinstance(call.args[1], ast.Constant) or call.args[1].value is not None:
                    return call, call.args[0], call.args[1]
        raise _Refused


def _is_simple(key: ast.expr) -> bool:
    """Whether a key may be written twice: nothing is done by asking for it."""
    calls = (node for node in ast.walk(key) if isinstance(node, ast.Call))
    names = {name_of(node) for node in calls}
    return names <= {"int", "float", "item", "asarray", "abs"} and not any(isinstance(n, ast.NamedExpr) for n in ast.walk(key))


RULES: list[Rule] = [by_their_keys]
