"""Dicts by strings that data chooses: `counts["up" if v > u else "down"] += v` → a list, by numbers with these names.

All keys are written in the function, so each has its place in a list, which other rules make an array.
"""

from __future__ import annotations

import ast
import collections
from collections.abc import Iterator
from dataclasses import dataclass, field

from jupyter_jitmagic.diagnosis.rewrites.lookups import NO_KEY
from jupyter_jitmagic.diagnosis.rewrites.named_states import by_equality, constant_names
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import first_line
from jupyter_jitmagic.source.names import SCOPES, walk, walk_scope

_OF_LISTS = ("append", "extend", "insert", "pop")
_WHOLE = ("sum", "max", "min", "len", "list")
_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """Something is done with a dict or a key that numbers cannot."""


def by_number(spot: Spot) -> Iterator[Step]:
    """The dicts of the function that have such keys."""
    function = spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef):
        return
    if any(isinstance(node, SCOPES) for node in walk(function) if node is not function):
        return
    made = {}
    for statement in walk_scope(function.body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() | ast.Call()) if spot.code.on_own_lines([statement]):
                made[name] = statement
    tables: dict[str, _Table] = {}
    while made and set(tables) != set(made):  # a key of one that stays a dict stays a string
        tables = {}
        for name, statement in made.items():
            try:
                tables[name] = _Table(spot, function, statement, name, *_begin(spot, statement.value), frozenset(made))
            except _Refused:
                continue
        made = {name: made[name] for name in tables}
    chosen = [table for table in tables.values() if table.by_data]
    if chosen:
        try:
            yield _step(spot, function, chosen)
        except _Refused:
            return


def _step(spot: Spot, function: ast.FunctionDef, tables: list[_Table]) -> Step:
    names = list(dict.fromkeys(text for table in tables for text in table.names))
    edits: list[_Edit] = []
    said: dict[ast.expr, str] = {}
    for table in tables:
        said |= table.said
        edits += table.edits(names)
    constants = constant_names(spot, names)
    inside = {id(part) for node, _ in edits if isinstance(node, ast.AST) for part in walk(node) if part is not node}
    edits += [(node, constants[text]) for node, text in said.items() if id(node) not in inside]
    first = function.body[ast.get_docstring(function, clean=False) is not None]
    start = spot.code.offset(first_line(first), 0)
    line = f"{', '.join(constants.values())} = {', '.join(map(str, range(len(names))))}"
    no_key = NO_KEY if any(table.none for table in tables) else None
    return spot.step("numbers", *edits, ((start, start), f"{spot.code.indent(first)}{line}\n"), excludes=no_key)


def _begin(spot: Spot, made: ast.expr) -> tuple[dict[str, str], str]:
    """What a dict holds at first, and what it gives for a key that is missing, "" where it raises."""
    match made:
        case ast.Dict(keys=keys, values=values):
            found = {}
            for key, value in zip(keys, values, strict=True):
                if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                    raise _Refused
                found[key.value] = spot.code.src(value)
            return found, ""
        case ast.Call(func=func, args=args, keywords=[]):
            makes, given = spot.value(func), [spot.value(each) for each in args]
            if makes is collections.Counter and not args:
                return {}, "0"
            if makes is collections.defaultdict and given in ([int], [float]):
                return {}, "0" if given == [int] else "0.0"
            if makes is dict and not args:
                return {}, ""
    raise _Refused


@dataclass
class _Table:
    """One dict: what is asked of it, and by which keys.

    Attributes:
        begin: the values of the keys that it has at first.
        missing: what it gives for others.
        tables: all such dicts of the function, which may have their keys from one variable.
        names: its keys, in its own order at first.
        said: the places where a key is written.
        by_data: a key is chosen.
    """

    spot: Spot
    function: ast.FunctionDef
    made: ast.Assign
    name: str
    begin: dict[str, str]
    missing: str
    tables: frozenset[str]
    names: dict[str, None] = field(default_factory=dict)
    said: dict[ast.expr, str] = field(default_factory=dict)
    by_data: bool = False

    def __post_init__(self) -> None:
        self.names = dict.fromkeys(self.begin)
        self._gives = self.missing  # what `get` is given counts for `get` alone
        self._gets: list[tuple[ast.Call, ast.expr]] = []
        self._wholes: list[tuple[ast.AST, str]] = []
        self._best: list[tuple[ast.Call, str]] = []
        self._variables: dict[str, set[str]] = {}
        self.none: list[ast.expr] = []
        """The places where None stands for a key that is not there yet."""
        named = [node for node in walk(self.function) if isinstance(node, ast.Name) and node.id == self.name]
        if [node for node in named if not isinstance(node.ctx, ast.Load)] != self.made.targets:
            raise _Refused
        for node in named:
            if isinstance(node.ctx, ast.Load):
                self._use(node)
        if len(self.names) < 2 or ((self._wholes or self._best) and set(self.names) != set(self.begin)):
            raise _Refused

    def _use(self, use: ast.Name) -> None:
        code, parent = self.spot.code, self.spot.code.parents[use]
        match parent:
            case ast.Subscript(value=owner, slice=key) if owner is use and not isinstance(parent.ctx, ast.Del):
                around = code.parents[parent]
                if isinstance(around, ast.Attribute) and around.attr in _OF_LISTS:
                    raise _Refused  # no number chooses a list that grows
                reads = isinstance(parent.ctx, ast.Load) or (isinstance(around, ast.AugAssign) and around.target is parent)
                names = self._key(key)
                if reads and not self._gives and not names <= set(self.begin):
                    raise _Refused
            case ast.Attribute(attr="get"):
                match code.parents[parent]:
                    case ast.Call(args=[key, ast.Constant(value=int() | float()) as default], keywords=[]) as asked:
                        names, text = self._key(key), code.src(default)
                        if not names <= set(self.begin) and self.missing not in ("", text):
                            raise _Refused
                        self.missing = self.missing or text
                        self._gets.append((asked, key))
                    case ast.keyword() as given if self._is_best(code.parents[given]):
                        pass
                    case _:
                        raise _Refused
            case ast.Call() if self._is_best(parent):
                self._chosen(parent)
            case ast.Attribute(attr="values"):
                call = code.parents[parent]
                around = code.parents[call]
                if not (isinstance(around, ast.Call) and code.src(around.func) in _WHOLE and isinstance(call, ast.Call)):
                    raise _Refused
                self._wholes.append((call, self.name))
            case _ if self._is_returned(use):
                self._wholes.append((use, "{}"))
            case _:
                raise _Refused

    def _is_returned(self, use: ast.AST) -> bool:
        """Whether it is returned as it is, or as a part of what is."""
        parent = self.spot.code.parents[use]
        match parent:
            case ast.Tuple() | ast.List() | ast.Dict():
                return self._is_returned(parent)
            case ast.Return():
                return True
        return False

    def _is_best(self, node: ast.AST) -> bool:
        """`max(counts, key=counts.get)`."""
        match node:
            case ast.Call(
                func=ast.Name(id="max" | "min" as which),
                args=[ast.Name(id=name)],
                keywords=[ast.keyword(arg="key", value=ast.Attribute(value=ast.Name(id=asked), attr="get"))],
            ):
                return name == asked == self.name and self.spot.is_builtin(which)
        return False

    def _chosen(self, call: ast.Call) -> None:
        """The key of the largest value, which is asked for nothing but which one it is."""
        code = self.spot.code
        self.by_data = True
        self._best.append((call, f"arg{code.src(call.func)}"))
        match code.parents[call]:
            case ast.Assign(targets=[ast.Name(id=name)]):
                self._variable(name)
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[other]) if left is call:
                self._key(other)
            case ast.Subscript(value=ast.Name(id=table), slice=index) if index is call and table in self.tables:
                pass
            case _:
                raise _Refused

    def _key(self, node: ast.expr) -> set[str]:
        """The strings that a key may be."""
        if self._is_best(node):
            return set(self.begin)
        match node:
            case ast.Constant(value=str() as text):
                self.names[text] = None
                self.said[node] = text
                return {text}
            case ast.Constant(value=None):
                self.none.append(node)
                return set()
            case ast.IfExp(body=one, orelse=other):
                self.by_data = True
                return self._key(one) | self._key(other)
            case ast.Name(id=name):
                self.by_data = True
                return self._variable(name)
        raise _Refused

    def _variable(self, name: str) -> set[str]:
        """Those that a variable may be, which is asked for nothing else."""
        if name in self._variables:
            return self._variables[name]
        found = self._variables[name] = set()
        code = self.spot.code
        if any(each.arg == name for each in walk(self.function.args) if isinstance(each, ast.arg)):
            raise _Refused
        for node in walk(self.function):
            if not (isinstance(node, ast.Name) and node.id == name):
                continue
            match code.parents[node]:
                case ast.Assign() | ast.Tuple() if (other := self._across(node)) is not None:
                    if isinstance(node.ctx, ast.Store):
                        found |= self._key(other)
                    elif not isinstance(other, ast.Name):
                        raise _Refused
                    else:
                        self._variable(other.id)
                case ast.Subscript(value=ast.Name(id=table), slice=index) if index is node and table in self.tables:
                    pass
                case ast.Call(func=ast.Attribute(value=ast.Name(id=table), attr="get"), args=[first, _]) if (
                    first is node and table in self.tables
                ):
                    pass
                case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() | ast.Is() | ast.IsNot()], comparators=[other]):
                    self._key(other if left is node else left)
                case _:
                    raise _Refused
        return found

    def _across(self, node: ast.Name) -> ast.expr | None:
        """What stands on the other side of an assignment: `a` and 1 of `b, n = a, 1`, asked for b and n, and the other way."""
        code = self.spot.code
        parent = code.parents[node]
        match parent, code.parents[parent]:
            case ast.Assign(targets=[target], value=value), _:
                return value if target is node else target
            case ast.Tuple(), ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                pairs = zip(targets, values, strict=True) if len(targets) == len(values) else ()
                return next((v if t is node else t for t, v in pairs if t is node or v is node), None)
        return None

    def edits(self, names: list[str]) -> Iterator[_Edit]:
        """The dict as a list, and what is asked of it."""
        code = self.spot.code
        if (self._wholes or self._best) and names != list(self.begin):
            raise _Refused
        values = [self.begin.get(text, self.missing or "0") for text in names]
        yield self.made.value, f"[{', '.join(values)}]"
        for call, key in self._gets:
            start, end = code.span(key)
            yield (code.span(call.func)[1] - len(".get"), start), "["
            yield (end, code.span(call)[1]), "]"
        for best, which in self._best:  # of equal values the first, as Python takes it
            yield best, f"{self.spot.jnp(which)}({self.spot.jnp('asarray')}({self.name}))"
        for none in self.none:
            yield none, "-1"
        for name in self._variables if self.none else ():
            yield from by_equality(self.spot, self.function, name)
        for node, text in self._wholes:
            shown = ", ".join(f"{name!r}: {self.name}[{k}]" for k, name in enumerate(names))
            yield node, text if text == self.name else f"{{{shown}}}"


RULES: list[Rule] = [by_number]
