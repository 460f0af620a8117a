"""Dicts of lists, or of sums, by words that data chooses: `buckets[SEASON[int(m)]].append(t)` in a loop.

All words are keys that the code writes down, so each has its own test of the loop's items:
`buckets = {"winter": [t for m, t in zip(months, temps) if int(m) in (12, 1, 2)], …}`, of which other rules know what is kept.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_jitmagic.diagnosis.rewrites.effects import only_gives
from jupyter_jitmagic.diagnosis.rewrites.lookups import NEGATIVE
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.sorting import without_tolist
from jupyter_jitmagic.source.names import bound_once, loaded, read_first, stored, target_names, walk, walk_scope

_MOST = 12  # words
_NO_PLACE = {"outside": "an index past the ends, for which Python raises IndexError: compiled, the item belongs to no word"}
_NO_WORD = {"outside": "a key that is not there, for which Python raises KeyError: compiled, the item belongs to no word"}
_Tests = dict[str, str]
"""For each word the test of an item that belongs to it, as text."""


class _Refused(Exception):
    """The loop does more, or a word may be none of the dict's keys."""


@dataclass
class _Group:
    """A dict that the loop fills: what it holds at first, and what is added for an item."""

    name: str
    made: ast.Assign
    begin: dict[str, ast.expr]
    value: ast.expr
    is_list: bool


def by_words(spot: Spot) -> Iterator[Step]:
    """The dicts as comprehensions over the loop's items."""
    function, code = spot.function, spot.code
    loop = next((at for at in code.ancestors(spot.node) if isinstance(at, ast.For)), None)
    if not isinstance(function, ast.FunctionDef) or loop is None or loop.orelse or loop not in function.body:
        return
    if not spot.is_builtin("sum"):
        return
    try:
        yield _Words(spot, function, loop).step()
    except _Refused:
        return


class _Words:
    """A loop whose rounds choose a word each, and what it fills.

    Attributes:
        excludes: the inputs on which Python raises, or counts from the end.
    """

    def __init__(self, spot: Spot, function: ast.FunctionDef, loop: ast.For) -> None:
        self.spot, self.code, self.function, self.loop = spot, spot.code, function, loop
        self.excludes: dict[str, str] = {}
        self.groups: list[_Group] = []
        self._choosing: list[ast.stmt] = []
        keys = set[str]()
        for statement in loop.body:
            if (update := _update(statement)) is None:
                if self.groups:
                    raise _Refused  # it is no part of the choice, or one of the next round
                self._choosing.append(statement)
                continue
            name, key, value, is_list = update
            made = self._made(name)
            self.groups.append(_Group(name, made, self._begin(made, is_list), value, is_list))
            keys.add(ast.unparse(key))
            self._key = key
        if len(keys) != 1 or (self._choosing and not isinstance(self._key, ast.Name)):
            raise _Refused
        self._own = {*target_names(loop.target)}
        self.tests = self._chosen(self._key, self._choosing)
        self._check()

    def _made(self, name: str) -> ast.Assign:
        """The statement that makes a dict, which nothing else binds."""
        for statement in walk_scope(self.function.body):
            match statement:
                case ast.Assign(targets=[ast.Name(id=same)], value=value) if same == name:
                    if bound_once(self.function, name) is value and statement in self.function.body:
                        return statement
        raise _Refused

    def _begin(self, made: ast.Assign, is_list: bool) -> dict[str, ast.expr]:
        """Its keys, and what stands there before the loop."""
        match made.value:
            case ast.Dict(keys=keys, values=values):
                found = {self._word(key): value for key, value in zip(keys, values, strict=True)}
            case ast.DictComp(
                key=ast.Name(id=key), value=value, generators=[ast.comprehension(target=ast.Name(id=each), iter=over, ifs=[])]
            ) if key == each:
                found = dict.fromkeys(self._words(over), value)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="dict"), attr="fromkeys"), args=[over, value]) if (
                not is_list and self.spot.is_builtin("dict")
            ):
                found = dict.fromkeys(self._words(over), value)
            case _:
                raise _Refused
        for value in found.values():
            match value:
                case ast.List(elts=[]) if is_list:
                    pass
                case ast.Constant(value=int() | float()) if not is_list:
                    pass
                case _:
                    raise _Refused
        if not 1 < len(found) <= _MOST:
            raise _Refused
        return found

    def _words(self, over: ast.expr) -> list[str]:
        """The words of a tuple or list that the code, or a global of it, holds."""
        if isinstance(over, ast.Tuple | ast.List):
            return [self._word(each) for each in over.elts]
        held = self._held(over)
        if isinstance(held, tuple | list) and all(type(each) is str for each in held):
            return list(held)
        raise _Refused

    def _held(self, node: ast.expr) -> Any:
        """What a global holds; None for what the function may bind."""
        known = all(self.code.is_global(name, node) for name in loaded([node]))
        return self.spot.value(node) if known and isinstance(node, ast.Name | ast.Attribute) else None

    def _may_be_repeated(self, over: ast.expr) -> bool:
        """Whether what the loop goes through can be gone through once for each word, as no iterator can."""
        match over:
            case ast.Call(func=ast.Name(id="zip" | "enumerate" as name), args=args, keywords=[]):
                return self.spot.is_builtin(name) and all(map(self._may_be_repeated, args))
            case ast.Call(func=ast.Name(id="range")):
                return self.spot.is_builtin("range")
        items = without_tolist(over)
        fact = self.spot.fact(items)
        return (fact is not None and fact.sort == "array") or isinstance(self.spot.value(items), list | tuple)

    def _word(self, key: ast.expr | None) -> str:
        if isinstance(key, ast.Constant) and type(key.value) is str:
            return key.value
        raise _Refused

    def _chosen(self, key: ast.expr, before: Sequence[ast.stmt]) -> _Tests:
        """The tests of the words that a key may be."""
        match key:
            case ast.Constant():
                return {self._word(key): ""}
            case ast.IfExp(test=test, body=one, orelse=other):
                return self._either(test, self._chosen(one, before), self._chosen(other, before))
            case ast.Subscript(value=table, slice=index):
                return self._of_table(self._held(table), index, before)
            case ast.Name(id=name):
                return self._of_variable(name, before)
        raise _Refused

    def _either(self, test: ast.expr, one: _Tests, other: _Tests) -> _Tests:
        yes = self.code.operand(test) if isinstance(test, ast.BoolOp | ast.IfExp) else self.code.src(test)
        no = f"not ({self.code.src(test)})"
        found: _Tests = {}
        for how, tests in ((yes, one), (no, other)):
            for word, inner in tests.items():
                text = f"{how} and ({inner})" if " or " in inner else f"{how} and {inner}" if inner else how
                found[word] = f"{found[word]} or {text}" if word in found else text
        return found

    def _of_table(self, table: Any, index: ast.expr, before: Sequence[ast.stmt]) -> _Tests:
        if loaded([index]) & {*stored(before)}:
            raise _Refused
        if isinstance(table, Mapping) and all(type(key) is int for key in table):
            pairs = list(table.items())
            self.excludes |= _NO_WORD
        elif isinstance(table, tuple | list):
            pairs = list(enumerate(table))
            self.excludes |= {**NEGATIVE, **_NO_PLACE}
        else:
            raise _Refused
        if len(pairs) > 4 * _MOST or not all(type(word) is str for _, word in pairs):
            raise _Refused
        place = self.code.operand(index)
        found: _Tests = {}
        for word, entries in itertools.groupby(sorted(pairs, key=lambda pair: str(pair[1])), key=lambda pair: str(pair[1])):
            numbers = [str(number) for number, _ in entries]
            found[word] = f"{place} == {numbers[0]}" if len(numbers) == 1 else f"{place} in ({', '.join(numbers)})"
        return found

    def _of_variable(self, name: str, before: Sequence[ast.stmt]) -> _Tests:
        """`season = SEASON[int(m)]`, or the branches of one `if` that set nothing else, before the update."""
        match before:
            case [ast.Assign(targets=[ast.Name(id=same)], value=value)] if same == name:
                return self._chosen(value, [])
            case [ast.If(test=test, body=body, orelse=orelse)]:
                return self._either(test, self._of_variable(name, body), self._of_variable(name, orelse))
        raise _Refused

    def _check(self) -> None:
        """Every word is a key of each dict, the loop does not go by what it fills, and its names are its own."""
        own = self._own | {*stored(self._choosing)}
        names = {group.name for group in self.groups}
        read = loaded([self.loop.iter, *self._choosing, *(group.value for group in self.groups)])
        missing = any(not test or word not in group.begin for word, test in self.tests.items() for group in self.groups)
        if missing or read & names or len(names) != len(self.groups) or own & self.code.live_after(self.loop):
            raise _Refused
        chosen, values = {*stored(self._choosing)}, [group.value for group in self.groups]
        if loaded(values) & chosen or set(read_first(self._choosing)) & chosen or not self._may_be_repeated(self.loop.iter):
            raise _Refused
        if not only_gives(self.spot, [*values, *self._choosing]):
            raise _Refused  # word by word it would be done in another order
        between = [each for each in self.function.body if each.lineno < self.loop.lineno]
        early = {id(part) for each in between for part in walk(each)} - {id(g.made.targets[0]) for g in self.groups}
        for node in walk(self.function):
            if isinstance(node, ast.Name) and node.id in names and id(node) in early:
                raise _Refused
        if not all(self.code.on_own_lines([each]) for each in (self.loop, *(group.made for group in self.groups))):
            raise _Refused

    def step(self) -> Step:
        code, loop = self.code, self.loop
        target, over = code.src(loop.target), code.src(loop.iter)
        lines = ""
        for group in self.groups:
            value, items = code.src(group.value), []
            for word, first in group.begin.items():
                test = self.tests.get(word)
                text = f"[{value} for {target} in {over} if {test}]" if test is not None else "[]"
                begin = code.src(first)
                if not group.is_list:
                    text = f"sum({text})" if begin == "0" else f"{begin} + sum({text})"
                items.append(f"{word!r}: {text}")
            indent = code.indent(loop)
            lines += f"{indent}{group.name} = {{\n" + "".join(f"{indent}    {item},\n" for item in items) + f"{indent}}}\n"
        gone = [(code.region([group.made]), "") for group in self.groups]
        return self.spot.step("comprehension", *gone, (code.region([loop]), lines), excludes=self.excludes or None)


def _update(statement: ast.stmt) -> tuple[str, ast.expr, ast.expr, bool] | None:
    """(dict, key, value, whether it is put into a list) of `d[key].append(value)` or `d[key] += value`."""
    match statement:
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Subscript(value=ast.Name(id=name), slice=key), attr="append"),
                args=[value],
                keywords=[],
            )
        ):
            return name, key, value, True
        case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=name), slice=key), op=ast.Add(), value=value):
            return name, key, value, False
    return None


RULES: list[Rule] = [by_words]
