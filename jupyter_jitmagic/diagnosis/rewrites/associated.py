"""Dicts whose keys are data: an array of keys, one of values, and which of their places are taken, in the dict's own order.

`seen[int(v)] = i`, `need in seen`, `seen[need]`, `counts.get(k, 0)`, `max(counts, key=counts.get)`; `Counter(x.tolist())` is
made at once. How many keys there can be is told by the rounds of the loops in which they are set.
"""

from __future__ import annotations

import ast
import collections
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.elements import element
from jupyter_jitmagic.diagnosis.rewrites.rounds import rounds_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step, is_traced_value
from jupyter_jitmagic.source.code import Code, words
from jupyter_jitmagic.source.names import SCOPES, target_names, walk_scope

_DEPTH = 4  # of names bound to what other names are bound to
_READ_WHOLE = words("sum max min any all sorted list len")
_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """Something is done with the dict that arrays cannot."""


def keyed_by_data(spot: Spot) -> Iterator[Step]:
    """The first dict of the function whose keys are data as arrays."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    for statement in walk_scope(function.body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=made):
                kind = _kind(spot, made)
            case _:
                continue
        if kind is None or not spot.code.on_own_lines([statement]):
            continue
        try:
            yield kind(spot, function, statement, name).step()
            return
        except (_Refused, LookupError):
            continue


def _kind(spot: Spot, made: ast.expr) -> type[_Table] | None:
    match made:
        case ast.Dict(keys=keys) if all(isinstance(key, ast.Constant) and type(key.value) is int for key in keys):
            return _Table
        case ast.Call(func=func, args=args, keywords=[]):
            makes = spot.value(func)
            if makes is collections.Counter and len(args) == 1:
                return _Counted
            if (makes is dict or makes is collections.Counter) and not args:
                return _Table
            if makes is collections.defaultdict and len(args) == 1 and spot.value(args[0]) in (int, float):
                return _Table
    return None


class _Table:
    """A dict that loops fill."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, made: ast.Assign, name: str) -> None:
        self.spot, self.code, self.function, self.made, self.name = spot, spot.code, function, made, name
        fresh = self.code.fresh
        self.keys, self.values = fresh(f"{name}_keys"), fresh(f"{name}_values")
        self.there, self.place = fresh(f"{name}_there"), fresh(f"{name}_place")
        self.edits: list[_Edit] = []
        self.held: list[tuple[ast.stmt, ast.expr, ast.expr]] = []
        """(statement, key, value) of what is set."""
        self.floats = False
        """Keys may be floats, and so NaN."""

    def step(self) -> Step:
        nodes = list(ast.walk(self.function))
        uses = [node for node in nodes if isinstance(node, ast.Name) and node.id == self.name]
        if sum(not isinstance(use.ctx, ast.Load) for use in uses) != 1:
            raise _Refused
        for use in uses:
            if isinstance(use.ctx, ast.Load):
                self.use(use)
        self.make()
        own = "NaN among the keys, each of which is a key of its own, or among the values"
        return self.spot.step("keys", *self.edits, excludes={"nan": own} if self.floats else {})

    def make(self) -> None:
        spot, code = self.spot, self.code
        if not self.held:
            raise _Refused
        first = self.made.value
        begins = list(zip(first.keys, first.values, strict=True)) if isinstance(first, ast.Dict) else []
        facts = [spot.fact(key) for _, key, _ in self.held]
        known = [fact for fact in facts if fact is not None]
        if not any(self._is_data(key) for _, key, _ in self.held) or any(self._reads_itself(key) for _, key, _ in self.held):
            raise _Refused
        if not known or any(fact.ndim or fact.dtype not in ("i", "u", "f") or fact.sort == "text" for fact in known):
            raise _Refused
        self.floats = any(fact.dtype == "f" for fact in known)
        values = [value for _, _, value in self.held if not self._reads_itself(value)]
        shape, dtype = element(spot, self.function, self.made, values or [value for _, _, value in self.held])
        if shape:
            raise _Refused
        size = " + ".join(dict.fromkeys(map(self._rounds, self.held)))
        size += f" + {len(begins)}" if begins else ""
        zeros, indent = spot.jnp("zeros"), code.indent(self.made)
        made_floats = self._makes_floats()
        lines = [
            f"{self.keys} = {zeros}({size}{'' if self.floats else ', int'})",
            f"{self.values} = {zeros}({size}{', ' + dtype if dtype and not made_floats else ''})",
            f"{self.there} = {zeros}({size}, bool)",
        ]
        for place, (key, value) in enumerate(begins):
            assert key is not None
            lines[0] += f".at[{place}].set({code.src(key)})"
            lines[1] += f".at[{place}].set({code.src(value)})"
            lines[2] += f".at[{place}].set(True)"
        self.edits.append((self.made, f"\n{indent}".join(lines)))

    def _is_data(self, key: ast.expr, depth: int = 0) -> bool:
        """Whether a key is worked out of data: of arrays, or of numbers that `int()` makes of them."""
        for node in ast.walk(key):
            fact = self.spot.fact(node) if isinstance(node, ast.expr) else None
            if fact is not None and fact.sort == "array":
                return True
            match node:
                case ast.Call(func=ast.Name(id="int") | ast.Attribute(attr="item" | "tolist")):
                    return True
                case ast.Name(id=name, ctx=ast.Load()) if depth < _DEPTH:
                    if is_traced_value(self.spot.locals.get(name)):
                        return True
                    for other in ast.walk(self.function):
                        match other:
                            case ast.Assign(targets=targets, value=value) if name in {
                                n for t in targets for n in target_names(t)
                            }:
                                pass
                            case ast.For(target=target, iter=value) if name in target_names(target):
                                pass
                            case _:
                                continue
                        if self._is_data(value, depth + 1):
                            return True
        return False

    def _given(self, name: str) -> Iterator[ast.expr]:
        """What a name is bound to, or what it runs over."""
        for node in ast.walk(self.function):
            match node:
                case ast.Assign(targets=targets, value=value) if any(name in target_names(each) for each in targets):
                    yield value
                case ast.AugAssign(target=ast.Name(id=each), value=value) if each == name:
                    yield value
                case ast.For(target=target, iter=value) if name in target_names(target):
                    yield value

    def _makes_floats(self) -> bool:
        match self.made.value:
            case ast.Call(func=_, args=[ast.Name(id="float")]):
                return True
        return False

    def _reads_itself(self, value: ast.expr) -> bool:
        return any(isinstance(node, ast.Name) and node.id == self.name for node in ast.walk(value))

    def _rounds(self, held: tuple[ast.stmt, ast.expr, ast.expr]) -> str:
        """How often a statement sets a key at most."""
        around = []
        for at in self.code.ancestors(held[0]):
            if isinstance(at, SCOPES):
                break
            if isinstance(at, ast.For | ast.While):
                if self.made in ast.walk(at):
                    break
                rounds = rounds_of(self.spot, at)
                if rounds is None:
                    raise _Refused
                around.append(rounds)
        return " * ".join(around[::-1]) or "1"

    # -- uses ---------------------------------------------------------------------------------------------

    def use(self, use: ast.Name) -> None:
        code, spot = self.code, self.spot
        parent = code.parents[use]
        around = code.parents[parent]
        match parent:
            case ast.Subscript(slice=key, ctx=ast.Load()):
                if isinstance(self.made.value, ast.Call) and spot.value(self.made.value.func) is collections.defaultdict:
                    raise _Refused  # to read a key is to set it
                self.edits.append((parent, self.at(key)))
            case ast.Subscript(slice=key):
                self._set(code.statement(parent), parent, key)
            case ast.Compare(left=key, ops=[ast.In() | ast.NotIn() as op], comparators=[only]) if only is use:
                found = f"{spot.jnp('any')}({self._found(key)})"
                self.edits.append((parent, found if isinstance(op, ast.In) else f"{spot.jnp('logical_not')}({found})"))
            case ast.Attribute(attr="setdefault"):
                self._set_once(code.statement(parent), around)
            case ast.Attribute(attr="get"):
                self._get(parent, around)
            case ast.Attribute(attr="values") if isinstance(around, ast.Call):
                self._whole(around, f"{self.values}[{self.there}]")
            case ast.Attribute(attr="keys") if isinstance(around, ast.Call):
                self._whole(around, f"{self.keys}[{self.there}]")
            case ast.Attribute(attr="items") if isinstance(around, ast.Call):
                self._items(around)
            case ast.Attribute(attr="most_common"):
                self._first(code.parents[around])
            case ast.Call(func=ast.Name(id="len"), args=[_]) if spot.is_builtin("len"):
                self.edits.append((parent, f"{spot.jnp('sum')}({self.there})"))
            case ast.Call(func=ast.Name(id="max" | "min" as end), args=[_], keywords=[ast.keyword(arg="key", value=by)]):
                if not spot.is_builtin(end) or code.src(by) not in (f"{self.name}.get", f"{self.name}.__getitem__"):
                    raise _Refused
                self.edits.append((parent, f"{self.keys}[{self.best(end)}]"))
            case _:
                self._whole(use, f"{self.keys}[{self.there}]")

    def at(self, key: ast.expr) -> str:
        return f"{self.values}[{self.spot.jnp('argmax')}({self._found(key)})]"

    def _found(self, key: ast.expr) -> str:
        return f"({self.keys} == {self._key(key)}) & {self.there}"

    def _key(self, key: ast.expr) -> str:
        match key:
            case ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[]) if self._is_array(inner):
                return f"{self.code.operand(inner)}.astype(int)"
            case ast.Call(func=ast.Attribute(value=inner, attr="item"), args=[], keywords=[]) if self._is_array(inner):
                return self.code.operand(inner)
        return self.code.operand(key)

    def _is_array(self, node: ast.expr) -> bool:
        fact = self.spot.fact(node)
        return fact is not None and fact.sort == "array" and fact.ndim == 0 and fact.dtype in ("i", "u")

    def best(self, end: str) -> str:
        """The place of the first of the largest values, or of the smallest."""
        jnp, behind = self.spot.jnp, "- 1" if end == "max" else "+ 1"
        worst = f"{jnp('min' if end == 'max' else 'max')}({self.values}) {behind}"
        return f"{jnp('arg' + end)}({jnp('where')}({self.there}, {self.values}, {worst}))"

    def _set(self, statement: ast.stmt, target: ast.expr, key: ast.expr) -> None:
        code = self.code
        match statement:
            case ast.Assign(targets=[only], value=value) if only is target:
                how = "set"
            case ast.AugAssign(target=only, op=ast.Add(), value=value) if only is target:
                how = "add"
            case _:
                raise _Refused
        if not code.on_own_lines([statement]):
            raise _Refused
        self.held.append((statement, key, value))
        jnp, indent, text = self.spot.jnp, code.indent(statement), self._key(key)
        found = f"({self.keys} == {text}) & {self.there}"
        lines = [
            f"{self.place} = {jnp('where')}({jnp('any')}({found}), {jnp('argmax')}({found}), {jnp('sum')}({self.there}))",
            f"{self.keys} = {self.keys}.at[{self.place}].set({text})",
        ]
        start = code.region([statement])[0]
        self.edits.append(((start, start), "".join(f"{indent}{line}\n" for line in lines)))
        self.edits.append(
            ((code.span(statement)[0], code.span(value)[0]), f"{self.values} = {self.values}.at[{self.place}].{how}(")
        )
        end = code.span(statement)[1]
        self.edits.append(((end, end), f")\n{indent}{self.there} = {self.there}.at[{self.place}].set(True)"))

    def _set_once(self, statement: ast.stmt, call: ast.AST) -> None:
        """`first.setdefault(k, i)`."""
        code, jnp = self.code, self.spot.jnp
        match statement:
            case ast.Expr(value=ast.Call(args=[key, value], keywords=[])) if statement.value is call:
                pass
            case _:
                raise _Refused
        if not code.on_own_lines([statement]) or self._reads_itself(value):
            raise _Refused
        self.held.append((statement, key, value))
        text, indent = self._key(key), code.indent(statement)
        lines = [
            f"{self.place} = {jnp('where')}({jnp('any')}({self._found(key)}), {self.keys}.size, {jnp('sum')}({self.there}))",
            f"{self.keys} = {self.keys}.at[{self.place}].set({text})  # a place beyond the end sets nothing",
            f"{self.values} = {self.values}.at[{self.place}].set({code.expr(value)})",
            f"{self.there} = {self.there}.at[{self.place}].set(True)",
        ]
        self.edits.append((statement, f"\n{indent}".join(lines)))

    def _get(self, get: ast.Attribute, call: ast.AST) -> None:
        match call:
            case ast.Call(args=[key, default], keywords=[]) if call.func is get:
                jnp = self.spot.jnp
                found = f"{jnp('any')}({self._found(key)})"
                self.edits.append((call, f"{jnp('where')}({found}, {self.at(key)}, {self.code.expr(default)})"))
            case ast.keyword(arg="key"):
                return  # of `max(d, key=d.get)`
            case _:
                raise _Refused

    def _whole(self, node: ast.AST, text: str) -> None:
        """All keys or values, where a call or a loop takes them."""
        parent = self.code.parents[node]
        match parent:
            case ast.Call(func=ast.Name(id=name), args=[only]) if name in _READ_WHOLE and only is node:
                if name == "len":
                    self.edits.append((parent, f"{self.spot.jnp('sum')}({self.there})"))
                    return
            case ast.For() | ast.comprehension() if parent.iter is node:
                pass
            case _:
                raise _Refused
        self.edits.append((node, text))

    def _items(self, items: ast.Call) -> None:
        code, parent = self.code, self.code.parents[items]
        match parent:
            case ast.For() | ast.comprehension() if parent.iter is items and isinstance(parent.target, ast.Tuple):
                self.edits.append((items, f"zip({self.keys}[{self.there}], {self.values}[{self.there}])"))
            case ast.Call(func=ast.Name(id="max" | "min" as end), keywords=[ast.keyword(arg="key", value=by)]) if (
                code.src(by).replace(" ", "").partition(":")[2].endswith("[1]")
            ):
                self.edits.append((parent, f"({self.keys}[{self.best(end)}], {self.values}[{self.best(end)}])"))
            case _:
                raise _Refused

    def _first(self, first: ast.AST) -> None:
        """`most_common(1)[0]`, and a part of it."""
        code = self.code
        match first:
            case ast.Subscript(slice=ast.Constant(value=0), value=ast.Call(args=[] | [ast.Constant(value=int())])):
                pass
            case _:
                raise _Refused
        part = code.parents[first]
        match part:
            case ast.Subscript(slice=ast.Constant(value=0)) if part.value is first:
                self.edits.append((part, f"{self.keys}[{self.best('max')}]"))
            case ast.Subscript(slice=ast.Constant(value=1)) if part.value is first:
                self.edits.append((part, f"{self.values}[{self.best('max')}]"))
            case _:
                self.edits.append((first, f"({self.keys}[{self.best('max')}], {self.values}[{self.best('max')}])"))


class _Counted(_Table):
    """`Counter(x.tolist())`, to which nothing is added."""

    def make(self) -> None:
        spot, code, made = self.spot, self.code, self.made.value
        assert isinstance(made, ast.Call)
        array = _array(made.args[0])
        fact = spot.fact(array)
        if self.held or fact is None or fact.ndim != 1 or fact.sort not in ("array", "host"):
            raise _Refused
        self.floats = fact.dtype == "f"
        same = code.fresh(f"{self.name}_same", "same")
        jnp, indent = spot.jnp, code.indent(self.made)
        lines = [
            f"{self.keys} = {jnp('asarray')}({code.expr(array)})",
            f"{same} = {self.keys}[:, None] == {self.keys}",
            f"{self.values} = {jnp('sum')}({same}, axis=1)",
            f"{self.there} = ~{jnp('any')}({jnp('tril')}({same}, -1), axis=1)  # where each stands first",
        ]
        self.edits.append((self.made, f"\n{indent}".join(lines)))

    def at(self, key: ast.expr) -> str:
        return f"{self.spot.jnp('sum')}({self.keys} == {self._key(key)})"


def asked_by_lambda(spot: Spot) -> Iterator[Step]:
    """`max(votes, key=lambda k: votes[k])` → `key=votes.get`."""
    for node in walk_scope(spot.function.body) if isinstance(spot.function, ast.FunctionDef) else ():
        match node:
            case ast.Call(
                func=ast.Name(id="max" | "min" | "sorted"),
                args=[ast.Name(id=name)],
                keywords=[
                    ast.keyword(
                        arg="key",
                        value=ast.Lambda(
                            args=ast.arguments(args=[ast.arg(arg=key)]),
                            body=ast.Subscript(value=ast.Name(id=asked), slice=ast.Name(id=by)),
                        ) as function,
                    ),
                    *_,
                ],
            ) if name == asked and by == key and isinstance(spot.locals.get(name, {}), dict):
                yield spot.step("keys", (function, f"{name}.get"))


def made_together(spot: Spot) -> Iterator[Step]:
    """`a, b = Counter(x.tolist()), Counter(y.tolist())` → two lines."""
    code = spot.code
    for node in walk_scope(spot.function.body) if isinstance(spot.function, ast.FunctionDef) else ():
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                pass
            case _:
                continue
        given = {each.id for value in values for each in ast.walk(value) if isinstance(each, ast.Name)}
        apart = given.isdisjoint(target_names(node.targets[0])) and all(isinstance(name, ast.Name) for name in names)
        if apart and code.on_own_lines([node]) and any(_kind(spot, value) for value in values):
            lines = [f"{code.src(name)} = {code.expr(value)}" for name, value in zip(names, values, strict=True)]
            yield spot.step("keys", (node, f"\n{code.indent(node)}".join(lines)))


_OF_BOTH = {
    ast.BitAnd: ("min({0}[{2}], {1}[{2}])", "{0}"),
    ast.Sub: ("max({0}[{2}] - {1}[{2}], 0)", "{0}"),
}
"""What is left of a key of two counters."""


def of_two_counters(spot: Spot) -> Iterator[Step]:
    """`sum((a & b).values())` → `sum(min(a[k], b[k]) for k in a)`."""
    code = spot.code
    for node in walk_scope(spot.function.body) if isinstance(spot.function, ast.FunctionDef) else ():
        match node:
            case (
                ast.Call(
                    func=ast.Name(id="sum"),
                    args=[ast.Call(func=ast.Attribute(value=ast.BinOp() as both, attr="values"), args=[])],
                    keywords=[],
                )
                | ast.Call(func=ast.Attribute(value=ast.BinOp() as both, attr="total"), args=[], keywords=[])
            ):
                pass
            case _:
                continue
        sides = [both.left, both.right]
        if type(both.op) in _OF_BOTH and all(isinstance(side, ast.Name) and _is_counted(spot, side.id) for side in sides):
            elt, over = _OF_BOTH[type(both.op)]
            names = (*map(code.src, sides), code.fresh("k", "key"))
            yield spot.step("keys", (node, f"sum({elt.format(*names)} for {names[2]} in {over.format(*names)})"))


def _is_counted(spot: Spot, name: str) -> bool:
    """Whether a name is a counter of what an array holds, and nothing else."""
    assert isinstance(spot.function, ast.FunctionDef)
    made = [
        node.value
        for node in walk_scope(spot.function.body)
        if isinstance(node, ast.Assign) and name in {n for target in node.targets for n in target_names(target)}
    ]
    return len(made) == 1 and _kind(spot, made[0]) is _Counted


def _array(node: ast.expr) -> ast.expr:
    """The array of `x.tolist()`, of `[int(v) for v in x]` and of `int(v) for v in x`."""
    match node:
        case ast.Call(func=ast.Attribute(value=array, attr="tolist"), args=[], keywords=[]):
            return array
        case ast.Call(func=ast.Name(id="map"), args=[ast.Name(id="int"), array]):
            return _array(array)
        case (
            ast.ListComp(
                elt=ast.Call(func=ast.Name(id="int"), args=[ast.Name(id=one)]),
                generators=[ast.comprehension(target=ast.Name(id=other), iter=array, ifs=[])],
            )
            | ast.GeneratorExp(
                elt=ast.Call(func=ast.Name(id="int"), args=[ast.Name(id=one)]),
                generators=[ast.comprehension(target=ast.Name(id=other), iter=array, ifs=[])],
            )
        ) if one == other:
            return array
    return node


def counted_by_name(spot: Spot) -> Iterator[Step]:
    """`Counter(x.tolist()).most_common(1)` → the counter under a name of its own; `statistics.mode(x.tolist())` is its key."""
    code, statement = spot.code, spot.code.statement(spot.node)
    if not code.on_own_lines([statement]) or isinstance(statement, ast.While | ast.FunctionDef) or code.is_elif(statement):
        return
    for node in ast.walk(statement):
        if not isinstance(node, ast.Call) or any(isinstance(at, ast.comprehension | ast.Lambda) for at in _between(code, node)):
            continue
        makes = spot.value(node.func)
        is_mode = getattr(makes, "__module__", "") == "statistics" and getattr(makes, "__name__", "") == "mode"
        bound = isinstance(statement, ast.Assign) and statement.value is node
        if (makes is collections.Counter and node.args and not bound) or is_mode:
            name, start = code.fresh("counts", "tally"), code.region([statement])[0]
            counter = spot.module("collections", "Counter") if is_mode else code.src(node.func)
            line = f"{code.indent(statement)}{name} = {counter}({', '.join(map(code.src, node.args))})\n"
            yield spot.step("keys", ((start, start), line), (node, f"{name}.most_common(1)[0][0]" if is_mode else name))
            return


def _between(code: Code, node: ast.AST) -> Iterator[ast.AST]:
    for at in code.ancestors(node):
        if isinstance(at, ast.stmt):
            return
        yield at


RULES: list[Rule] = [made_together, asked_by_lambda, of_two_counters, counted_by_name, keyed_by_data]
