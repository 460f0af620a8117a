"""Dicts whose keys are data: an array of keys, one of values, and which of their places are taken, in the dict's own order.

`seen[int(v)] = i`, `need in seen`, `seen[need]`, `counts.get(k, 0)`, `max(counts, key=counts.get)`; `Counter(x.tolist())` is
made at once. How many keys there can be is told by the rounds of the loops in which they are set.
"""

from __future__ import annotations

import ast
import collections
from collections.abc import Iterator
from dataclasses import replace

from jupyter_jitmagic.diagnosis.rewrites.elements import element, listed_numbers
from jupyter_jitmagic.diagnosis.rewrites.facts import Fact
from jupyter_jitmagic.diagnosis.rewrites.rounds import rounds_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step, is_traced_value
from jupyter_jitmagic.diagnosis.rewrites.slices import length_between, traced
from jupyter_jitmagic.source.code import is_tested, words
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, loaded, stored, target_names, walk_scope

_DEPTH = 4  # of names bound to what other names are bound to
_READ_WHOLE = words("sum max min any all sorted list len")
_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """Something is done with the dict that arrays cannot."""


def keyed_by_data(spot: Spot) -> Iterator[Step]:
    """The first dict of the function whose keys are data as arrays."""
    spot = _with_the_names_around(spot)
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    for statement in walk_scope(function.body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=made):
                kind = kind_of(spot, made)
            case _:
                continue
        if kind is None or not spot.code.on_own_lines([statement]):
            continue
        try:
            yield kind(spot, function, statement, name).step()
            return
        except (_Refused, LookupError):
            continue


def _with_the_names_around(spot: Spot) -> Spot:
    """A place in a comprehension, which has a frame of its own, with what the function's names stand for as well."""
    if not any(isinstance(each, COMPREHENSIONS) for each in spot.code.ancestors(spot.node)):
        return spot
    outer = next(iter(spot.callers()), None)
    if outer is None or outer.function is not spot.function:
        return spot
    return replace(spot, locals={**outer.locals, **spot.locals})


def kind_of(spot: Spot, made: ast.expr) -> type[_Table] | None:
    match made:
        case ast.Dict(keys=keys) if all(map(_is_whole, keys)) or (keys and all(_is_of_whole(spot, key) for key in keys)):
            return _Table
        case ast.Call(func=func, args=args, keywords=[]):
            makes = spot.value(func)
            if makes is collections.Counter and len(args) == 1:
                return Counted
            if (makes is dict or makes is collections.Counter) and not args:
                return _Table
            if makes is collections.defaultdict and len(args) == 1 and spot.value(args[0]) in (int, float):
                return _Table
    return None


def _is_whole(key: ast.expr | None) -> bool:
    match key:
        case ast.Constant(value=number) | ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=number)):
            return type(number) is int
    return False


def _is_of_whole(spot: Spot, key: ast.expr | None) -> bool:
    """Whether a key is a tuple of whole numbers, or of names that stand for some."""
    return isinstance(key, ast.Tuple) and all(_is_whole(part) or _stands_for_an_int(spot, part) for part in key.elts)


def _stands_for_an_int(spot: Spot, node: ast.expr) -> bool:
    fact = spot.fact(node)
    return fact is not None and fact.dtype == "i" and fact.ndim == 0


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
        self.compares_floats = False
        """The largest or smallest of its values is asked for, which may be NaN."""
        self.asks_for_best = False
        self.width = ""
        """How many numbers a key is, as text, where it is a tuple of them."""

    def step(self) -> Step:
        nodes = list(ast.walk(self.function))
        uses = [node for node in nodes if isinstance(node, ast.Name) and node.id == self.name]
        if sum(not isinstance(use.ctx, ast.Load) for use in uses) != 1:
            raise _Refused
        self.width = self._width(nodes)
        for use in uses:
            if isinstance(use.ctx, ast.Load):
                self.use(use)
        self.make()
        own = "NaN among the values, whose order tells which is the largest"
        own = "NaN among the keys, each of which is a key of its own, or among the values" if self.floats else own
        note = f"keys of {self.name} are whole numbers, as in this call: others would be cut off" if self.width else ""
        excludes = {"nan": own} if self.floats or self.compares_floats else {}
        return self.spot.step("keys", *self.edits, excludes=excludes, note=note)

    def make(self) -> None:
        spot, code = self.spot, self.code
        if not self.held:
            raise _Refused
        first = self.made.value
        begins = list(zip(first.keys, first.values, strict=True)) if isinstance(first, ast.Dict) else []
        known = [fact for _, key, _ in self.held for fact in self._facts(key) if fact is not None]
        if not any(self._is_data(key) for _, key, _ in self.held) or any(self._reads_itself(key) for _, key, _ in self.held):
            raise _Refused
        if not known or any(fact.ndim or fact.dtype not in ("i", "u", "f") or fact.sort == "text" for fact in known):
            raise _Refused
        self.floats = any(fact.dtype == "f" for fact in known)
        if self.width and self.floats:
            raise _Refused
        values = [value for _, _, value in self.held if not self._reads_itself(value)]
        try:
            shape, dtype = element(spot, self.function, self.made, values or [value for _, _, value in self.held])
        except LookupError:  # no plain run came there: a tuple of arrays is no key
            shape, dtype = element(
                spot, self.function, self.made, [*values, *(value for _, value in begins), *self._defaults()]
            )
        if shape:
            raise _Refused
        self.compares_floats = self.asks_for_best and dtype not in ("int", "bool")
        size = " + ".join(dict.fromkeys(map(self._rounds, self.held)))
        size += f" + {len(begins)}" if begins else ""
        zeros, indent = spot.jnp("zeros"), code.indent(self.made)
        made_floats = self._makes_floats()
        lines = [
            f"{self.keys} = {zeros}({f'({size}, {self.width})' if self.width else size}{'' if self.floats else ', int'})",
            f"{self.values} = {zeros}({size}{', ' + dtype if dtype and not made_floats else ''})",
            f"{self.there} = {zeros}({size}, bool)",
        ]
        for place, (key, value) in enumerate(begins):
            assert key is not None
            lines[0] += f".at[{place}].set({self._key(key)})"
            lines[1] += f".at[{place}].set({code.src(value)})"
            lines[2] += f".at[{place}].set(True)"
        self.edits.append((self.made, f"\n{indent}".join(lines)))

    def _width(self, nodes: list[ast.AST]) -> str:
        """How many parts its keys have; "" where they are numbers."""
        first = self.made.value
        keys = [key for key in first.keys if key is not None] if isinstance(first, ast.Dict) else []
        for node in nodes:
            match node:
                case ast.Subscript(value=ast.Name(id=name), slice=key) if name == self.name:
                    keys.append(key)
                case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=name)]) if name == self.name:
                    keys.append(key)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get" | "setdefault"), args=[key, *_]) if (
                    name == self.name
                ):
                    keys.append(key)
        widths = {self._width_of(key) for key in keys if not self._is_chosen(key)}
        if len(widths) > 1:
            raise _Refused
        return widths.pop() if widths else ""

    def _width_of(self, key: ast.expr) -> str:
        window = self._window(key)
        if window is None:
            return str(len(self._parts(key)) or "")
        assert isinstance(window.slice, ast.Slice)
        lower, upper = window.slice.lower, window.slice.upper
        width = None if upper is None else length_between(self.spot, lower, upper, lambda name: traced(self.spot, name))
        if width is None or not loaded([ast.parse(width)]).isdisjoint(stored(self.function.body)):
            raise _Refused
        return width

    def _window(self, key: ast.expr) -> ast.Subscript | None:
        """`x[i : i + n]` of the key `tuple(x[i : i + n].tolist())`, or `tuple(int(v) for v in x[i : i + n])`."""
        match key:
            case ast.Name(id=name):
                given = [self._window(each) for each in self._given(name) if not isinstance(each, ast.Name)]
                return given[0] if len(given) == 1 else None
            case ast.Call(func=ast.Name(id="tuple"), args=[listed], keywords=[]) if self.spot.is_builtin("tuple"):
                pass
            case _:
                return None
        match listed:
            case ast.GeneratorExp(elt=each, generators=[ast.comprehension(target=ast.Name(id=v), iter=listed, ifs=[])]):
                whole = each.args[0] if isinstance(each, ast.Call) and self.code.src(each.func) == "int" else each
                if not isinstance(whole, ast.Name) or whole.id != v:
                    return None
        if isinstance(listed, ast.Call) and isinstance(listed.func, ast.Attribute) and listed.func.attr == "tolist":
            listed = listed.func.value
        is_window = isinstance(listed, ast.Subscript) and isinstance(listed.slice, ast.Slice) and listed.slice.step is None
        return listed if isinstance(listed, ast.Subscript) and is_window else None

    def _facts(self, key: ast.expr) -> list[Fact | None]:
        """What is known of the numbers of a key."""
        window = self._window(key)
        if window is None:
            return [self.spot.fact(part) for part in self._parts(key) or [key]]
        array = self.spot.fact(window.value)
        return [None if array is None else replace(array, ndim=array.ndim - 1)]

    def _is_chosen(self, key: ast.expr) -> bool:
        """Whether it is a key that the dict itself gave."""
        given = list(self._given(key.id)) if isinstance(key, ast.Name) else []
        return bool(given) and all(isinstance(each, ast.Call) and self._is_best(each) for each in given)

    def _is_best(self, node: ast.Call) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="max" | "min"), args=[ast.Name(id=name)], keywords=[ast.keyword(arg="key")]):
                return name == self.name
        return False

    def _parts(self, key: ast.expr) -> list[ast.expr]:
        """The numbers of a key that is a tuple."""
        match key:
            case ast.Tuple(elts=parts):
                return parts
            case ast.Name(id=name):
                given = list(self._given(name))
                if given and all(isinstance(each, ast.Tuple) for each in given):
                    return next(each.elts for each in given if isinstance(each, ast.Tuple))
        return []

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

    def _defaults(self) -> Iterator[ast.expr]:
        """What `get` gives for a key that is not there."""
        for node in ast.walk(self.function):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=[_, default]) if name == self.name:
                    yield default

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
            case ast.Attribute(attr="keys" | "items") if self.width:
                raise _Refused
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
                self.edits.append((parent, self._best_key(end)))
            case _ if is_tested(code, use):
                self.edits.append((use, f"{spot.jnp('any')}({self.there})"))
            case _ if self.width:
                raise _Refused
            case _:
                self._whole(use, f"{self.keys}[{self.there}]")

    def at(self, key: ast.expr) -> str:
        return f"{self.values}[{self.spot.jnp('argmax')}({self._found(key)})]"

    def _found(self, key: ast.expr) -> str:
        return f"{self._same(self._key(key))} & {self.there}"

    def _same(self, key: str) -> str:
        """Which keys are this one."""
        same = f"{self.keys} == {key}"
        return f"{self.spot.jnp('all')}({same}, axis=1)" if self.width else f"({same})"

    def _key(self, key: ast.expr) -> str:
        if self.width:
            numbers = self._window(key) if isinstance(key, ast.Call) else None
            return f"{self.spot.jnp('asarray')}({self.code.expr(key if numbers is None else numbers)})"
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
        self.asks_for_best = True
        jnp, behind = self.spot.jnp, "- 1" if end == "max" else "+ 1"
        worst = f"{jnp('min' if end == 'max' else 'max')}({self.values}) {behind}"
        return f"{jnp('arg' + end)}({jnp('where')}({self.there}, {self.values}, {worst}))"

    def _best_key(self, end: str) -> str:
        best = f"{self.keys}[{self.best(end)}]"
        return f"tuple({best})" if self.width else best

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
        found = f"{self._same(text)} & {self.there}"
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
                self.edits.append((parent, f"({self._best_key(end)}, {self.values}[{self.best(end)}])"))
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
                self.edits.append((part, self._best_key("max")))
            case ast.Subscript(slice=ast.Constant(value=1)) if part.value is first:
                self.edits.append((part, f"{self.values}[{self.best('max')}]"))
            case _:
                self.edits.append((first, f"({self._best_key('max')}, {self.values}[{self.best('max')}])"))


class Counted(_Table):
    """`Counter(x.tolist())`, to which nothing is added."""

    def make(self) -> None:
        spot, code, made = self.spot, self.code, self.made.value
        assert isinstance(made, ast.Call)
        array = _array(made.args[0])
        fact = listed_numbers(spot, array) or spot.fact(array)
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


RULES: list[Rule] = [keyed_by_data]
