"""Dataclasses that are replaced by changed ones: `s = State(0.0, 0)`, `s = replace(s, best=v)` → a variable for each field."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from typing import Any

import jax

from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.names import SCOPES, walk

_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """An object is asked for more than its fields."""


def as_variables(spot: Spot) -> Iterator[Step]:
    """The function with variables in the place of the first class of which such objects are made."""
    function = spot.function
    if spot.kind != BOOL or spot.asked() is None or not isinstance(function, ast.FunctionDef):
        return
    if any(isinstance(node, SCOPES) for node in walk(function) if node is not function):
        return
    kinds: dict[type, set[str]] = {}
    for name, value in spot.locals.items():
        if holds_what_it_is_given(value) and name not in {
            each.arg for each in walk(function.args) if isinstance(each, ast.arg)
        }:
            kinds.setdefault(type(value), set()).add(name)
    for kind, names in kinds.items():
        try:
            edits = list(_Fields(spot, function, kind, names).edits())
        except _Refused:
            continue
        yield spot.step("attribute", *edits)
        return


def holds_what_it_is_given(value: Any) -> bool:
    """Whether an object is of a dataclass that holds what it is given, and that JAX does not take apart."""
    kind: Any = type(value)
    if type(kind) is not type or not dataclasses.is_dataclass(kind) or "__post_init__" in vars(kind):
        return False
    if kind.__mro__ != (kind, object) or not all(each.init for each in dataclasses.fields(kind)):
        return False
    return bool(jax.tree_util.tree_structure(value) == jax.tree_util.tree_structure(0))


class _Fields:
    """The objects of one class, by the names of the function that hold them."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, kind: Any, names: set[str]) -> None:
        self.spot, self.code, self.function, self.kind, self.names = spot, spot.code, function, kind, names
        self.fields = [each.name for each in dataclasses.fields(kind)]
        self.variables = {(name, field): self.code.fresh(f"{name}_{field}") for name in names for field in self.fields}

    def edits(self) -> Iterator[_Edit]:
        times: dict[str, int] = {}
        inside: set[int] = set()
        for node in walk(self.function):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in self.names:
                    if not self.code.on_own_lines([node]):
                        raise _Refused
                    times[name] = times.get(name, 0) + 1
                    inside |= {id(part) for part in walk(node)}
                    yield node, self._bound(name, value)
        if max(times.values(), default=0) < 2:
            raise _Refused  # never another one
        for node in walk(self.function):
            if isinstance(node, ast.Name) and node.id in self.names and id(node) not in inside:
                yield self._field(node)

    def _field(self, use: ast.Name) -> _Edit:
        parent = self.code.parents[use]
        if not (isinstance(parent, ast.Attribute) and parent.value is use and parent.attr in self.fields):
            raise _Refused
        if not isinstance(parent.ctx, ast.Load):
            raise _Refused  # another name may stand for the same object
        return parent, self.variables[use.id, parent.attr]

    def _replaces(self, value: ast.expr) -> bool:
        return isinstance(value, ast.Call) and self.spot.value(value.func) is dataclasses.replace

    def _bound(self, name: str, value: ast.expr) -> str:
        """An assignment of a whole object as one of its fields."""
        given: dict[str, str] = {}
        match value:
            case ast.Name(id=other) if other in self.names:
                given = {field: self.variables[other, field] for field in self.fields}
            case ast.Call(args=[ast.Name(id=other)], keywords=keywords) if self._replaces(value) and other in self.names:
                given = {field: self.variables[other, field] for field in self.fields if other != name}
                given |= self._named(keywords)
            case ast.Call(func=func, args=args, keywords=keywords) if self.spot.value(func) is self.kind:
                given = {each.name: repr(each.default) for each in dataclasses.fields(self.kind) if _is_number(each.default)}
                given |= dict(zip(self.fields, map(self._text, args), strict=False)) | self._named(keywords)
                if set(given) != set(self.fields) or any(isinstance(each, ast.Starred) for each in args):
                    raise _Refused
            case _:
                raise _Refused
        if not given:
            return "pass"
        return f"{', '.join(self.variables[name, field] for field in given)} = {', '.join(given.values())}"

    def _named(self, keywords: list[ast.keyword]) -> dict[str, str]:
        if any(each.arg not in self.fields for each in keywords):
            raise _Refused
        return {str(each.arg): self._text(each.value) for each in keywords}

    def _text(self, node: ast.expr) -> str:
        """An expression with the variables in the place of fields."""
        uses = [each for each in walk(node) if isinstance(each, ast.Name) and each.id in self.names]
        fields = [self._field(each) for each in uses]
        edits = [(*self.code.span(where), text) for where, text in fields if isinstance(where, ast.AST)]
        text = self.code.edited(*self.code.span(node), edits)
        return f"({text})" if isinstance(node, ast.Tuple | ast.NamedExpr | ast.Lambda) else text


def _is_number(value: Any) -> bool:
    return type(value) in (int, float, bool) and value not in (float("inf"), -float("inf")) and value == value


RULES: list[Rule] = [as_variables]
