"""Numbers of groups that each element reads back: `s = jax.ops.segment_sum(x, y, num_segments=y.max() + 1)`, `x - s[y]`.

How many groups there are is data. Where nothing but `[y]` reads what is computed of them, it does not matter by which number a
group goes: by its place among those that occur, there are no more groups than elements.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jax

from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import words
from jupyter_jitmagic.source.names import bound_once, walk

_SEGMENTS = words("segment_sum segment_prod segment_max segment_min")
_MADE = words("zeros ones full")
_ADDED = words("add multiply mul max min")
_OF_EACH = words("sqrt square exp log log1p abs maximum minimum where clip isfinite isnan")
_BELOW = {"negative int": "labels below zero"}
_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """Something else than the elements reads the groups."""


def read_back(spot: Spot) -> Iterator[Step]:
    """Groups by their places among those that occur, in all that is computed of them."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    for labels in dict.fromkeys(made.labels.id for made in _all_made(spot, function)):
        try:
            edits = _Groups(spot, function, labels).edits()
        except _Refused:
            continue
        if edits:
            yield spot.step("unique", *edits, excludes=_BELOW)


@dataclass(frozen=True)
class _Made:
    """A call that makes a number for each group, its labels, how many groups it says that there are, and the call that says
    so: for `jnp.zeros(n).at[y].add(x)` the one of zeros."""

    call: ast.Call
    labels: ast.Name
    size: ast.expr | None
    sized: ast.Call


def _all_made(spot: Spot, function: ast.FunctionDef) -> Iterator[_Made]:
    for node in walk(function):
        match node:
            case ast.Call(func=func, args=[_, ast.Name() as labels, *rest], keywords=given) if _is_segments(spot, func):
                sizes = [*rest[:1], *(each.value for each in given if each.arg == "num_segments")]
                if len(sizes) <= 1 and len(rest) <= 1 and all(each.arg == "num_segments" for each in given):
                    yield _Made(node, labels, sizes[0] if sizes else None, node)
            case ast.Call(func=ast.Attribute(attr="bincount", value=owner), args=[ast.Name() as labels, *rest], keywords=given):
                if is_module(spot, owner) and len(rest) <= 1 and all(each.arg == "weights" for each in given):
                    yield _Made(node, labels, None, node)
            case ast.Call(
                func=ast.Attribute(value=ast.Subscript(value=ast.Attribute(value=base, attr="at"), slice=labels), attr=how),
                args=[_],
                keywords=[],
            ) if isinstance(labels, ast.Name) and how in _ADDED:
                made = bound_once(function, base.id) if isinstance(base, ast.Name) else base
                match made:
                    case ast.Call(func=ast.Attribute(attr=name, value=owner), args=[size, *_]) if name in _MADE and is_module(
                        spot, owner
                    ):
                        yield _Made(node, labels, size, made)


def _is_segments(spot: Spot, func: ast.expr) -> bool:
    value = spot.value(func)
    name = getattr(value, "__name__", "")
    return name in _SEGMENTS and value is getattr(jax.ops, name, None)


class _Groups:
    """The groups of one array of labels, and what is changed for them."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, labels: str) -> None:
        self.spot, self.code, self.function, self.labels = spot, spot.code, function, labels
        self.made = {made.call: made for made in _all_made(spot, function) if made.labels.id == labels}
        self.read: list[ast.Name] = []

    def edits(self) -> list[_Edit]:
        """What is changed; nothing where it does not suit.

        Raises:
            _Refused: the groups are read in another way.
        """
        code, places = self.code, self.code.fresh("groups", "group_of_each", "places_of_groups")
        fact = self.spot.fact(next(iter(self.made.values())).labels)
        parameters = {each.arg for each in ast.walk(self.function.args) if isinstance(each, ast.arg)}
        if fact is None or fact.ndim != 1 or fact.dtype not in ("i", "u") or not self._is_bound_once(parameters):
            return []
        for call in self.made:
            self._follow(call)
        size, edits = f"{self.labels}.size", list[_Edit]()
        for call, made in self.made.items():
            edits.append((made.labels, places))
            if made.size is None:
                end = code.span(call)[1] - 1
                keyword = "length" if code.src(call.func).endswith("bincount") else "num_segments"
                edits.append(((end, end), f", {keyword}={size}"))
        for made in self.made.values():
            edits += self._sized(made.size, size) if made.size is not None else ()
        edits += [(each, places) for each in self.read]
        first = self._first_statement()
        line = f"{code.indent(first)}_, {places} = {self.spot.jnp('unique')}({self.labels}, size={size}, return_inverse=True)\n"
        start = code.region([first], comments=True)[0]
        return [((start, start), line), *dict.fromkeys(edits)]

    def _is_bound_once(self, parameters: set[str]) -> bool:
        stores = [
            n for n in walk(self.function) if isinstance(n, ast.Name) and n.id == self.labels and isinstance(n.ctx, ast.Store)
        ]
        return len(stores) + (self.labels in parameters) == 1

    def _first_statement(self) -> ast.stmt:
        """The first statement of the function that makes something of the groups, or says how many there are."""
        sizes = [made.size for made in self.made.values() if isinstance(made.size, ast.Name)]
        bound = [value for each in sizes if (value := bound_once(self.function, each.id)) is not None]
        inside = {self.code.statement(each) for each in (*self.made, *bound)}
        for statement in self.function.body:
            if inside & {each for each in ast.walk(statement) if isinstance(each, ast.stmt)}:
                if not self.code.on_own_lines([statement]):
                    raise _Refused
                return statement
        raise _Refused

    def _sized(self, said: ast.expr, size: str) -> Iterator[_Edit]:
        """The largest label and one, by name perhaps, as the number of elements."""
        if isinstance(said, ast.Name):
            value = bound_once(self.function, said.id)
            uses = [
                n for n in walk(self.function) if isinstance(n, ast.Name) and n.id == said.id and isinstance(n.ctx, ast.Load)
            ]
            if value is None or not self._is_number(value) or not all(map(self._is_size, uses)):
                raise _Refused
            yield value, size
        elif self._is_number(said):
            yield said, size
        else:
            raise _Refused

    def _is_size(self, use: ast.Name) -> bool:
        """Whether a number says to a call how many groups it makes."""
        parent = self.code.parents[use]
        parent = self.code.parents[parent] if isinstance(parent, ast.keyword) else parent
        return any(parent is made.sized for made in self.made.values())

    def _is_number(self, size: ast.expr) -> bool:
        """`y.max() + 1`, `int(jnp.max(y)) + 1`."""
        match size:
            case ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[]) if self.spot.is_builtin("int"):
                return self._is_number(inner)
            case (
                ast.BinOp(left=most, op=ast.Add(), right=ast.Constant(value=1))
                | ast.BinOp(left=ast.Constant(value=1), op=ast.Add(), right=most)
            ):
                pass
            case _:
                return False
        match most:
            case ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[]) if self.spot.is_builtin("int"):
                most = inner
        match most:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="max"), args=[], keywords=[]):
                return name == self.labels
            case ast.Call(func=ast.Attribute(value=owner, attr="max" | "amax"), args=[ast.Name(id=name)], keywords=[]):
                return name == self.labels and is_module(self.spot, owner)
            case ast.Call(func=ast.Name(id="max"), args=[ast.Name(id=name)], keywords=[]):
                return name == self.labels and self.spot.is_builtin("max")
        return False

    def _follow(self, node: ast.expr) -> None:
        """Whether nothing but `[y]` reads what is computed of the groups.

        Raises:
            _Refused: something else does.
        """
        match self.code.parents[node]:
            case ast.Subscript(value=value, slice=ast.Name(id=name) as index, ctx=ast.Load()) if value is node:
                if name != self.labels:
                    raise _Refused
                self.read.append(index)
            case ast.BinOp(left=left, right=right) as whole if self._are_of_groups([left, right]):
                self._follow(whole)
            case ast.Compare(left=left, comparators=others) as whole if self._are_of_groups([left, *others]):
                self._follow(whole)
            case ast.UnaryOp() as whole:
                self._follow(whole)
            case ast.Call(func=ast.Attribute(attr=name, value=owner), args=args, keywords=[]) as whole if (
                node in args and name in _OF_EACH and is_module(self.spot, owner) and self._are_of_groups(args)
            ):
                self._follow(whole)
            case ast.Attribute(attr="astype", value=value) as cast if value is node:
                if not isinstance(made := self.code.parents[cast], ast.Call):
                    raise _Refused
                self._follow(made)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node:
                if bound_once(self.function, name) is not value:
                    raise _Refused
                for use in walk(self.function):
                    if isinstance(use, ast.Name) and use.id == name and isinstance(use.ctx, ast.Load):
                        self._follow(use)
            case _:
                raise _Refused

    def _are_of_groups(self, nodes: Sequence[ast.expr]) -> bool:
        """Whether each is a number, or of the groups as well."""
        return all(self._is_of_groups(node) for node in nodes)

    def _is_of_groups(self, node: ast.expr) -> bool:
        fact = self.spot.fact(node)
        if isinstance(node, ast.Constant) or node in self.made or (fact is not None and fact.ndim == 0):
            return True
        match node:
            case ast.Name(id=name) if (value := bound_once(self.function, name)) is not None:
                return self._is_of_groups(value)
            case ast.BinOp(left=left, right=right):
                return self._are_of_groups([left, right])
            case ast.Compare(left=left, comparators=others):
                return self._are_of_groups([left, *others])
            case ast.UnaryOp(operand=operand):
                return self._is_of_groups(operand)
            case ast.Call(func=ast.Attribute(attr="astype", value=value)):
                return self._is_of_groups(value)
            case ast.Call(func=ast.Attribute(attr=name, value=owner), args=args, keywords=[]) if name in _OF_EACH:
                return is_module(self.spot, owner) and self._are_of_groups(args)
        return False


RULES: list[Rule] = [read_back]
