"""A variable that holds an object of a few numbers or None, as an open position: `trade = None`, `trade = Trade(side, price)`,
`if trade is None:` → a variable for each of its fields, and a flag that says whether there is one."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites.inlining import in_another_function
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.names import walk

_BEGINS = {"f": "0.0", "i": "0", "u": "0", "b": "False"}
_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """More is done with the object than its fields and None tell."""


def as_fields(spot: Spot) -> Iterator[Step]:
    """The first such variable of the function."""
    function = spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef):
        return
    for statement in function.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=None))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=None))
            ):
                try:
                    edits = _Held(spot, function, name).edits(statement)
                except _Refused:
                    continue
                yield spot.step("fields", *edits)
                return


class _Held:
    """A variable, with what it is given and what is asked of it."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, name: str) -> None:
        self.spot, self.code, self.function, self.name = spot, spot.code, function, name
        self.uses = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name]
        self.fields: dict[str, str] = {}
        """What each field begins with."""
        self.made: dict[ast.stmt, dict[str, str]] = {}

    def edits(self, first: ast.stmt) -> list[_Edit]:
        """What stands in the place of all its uses.

        Raises:
            _Refused: one cannot be written so.
        """
        code = self.code
        for use in self.uses:
            if in_another_function(self.code, use, self.function):
                raise _Refused
            if isinstance(use.ctx, ast.Store):
                self._given(use)
        if not self.made:
            raise _Refused
        held = code.fresh(f"has_{self.name}", f"{self.name}_is_there", f"{self.name}_held")
        names = {field: code.fresh(f"{self.name}_{field}", f"{self.name}_own_{field}") for field in self.fields}
        edits = [edit for use in self.uses if isinstance(use.ctx, ast.Load) for edit in self._asked(use, held, names)]
        for use in self.uses:
            statement = code.statement(use)
            if not isinstance(use.ctx, ast.Store) or not isinstance(statement, ast.Assign | ast.AnnAssign):
                continue
            indent, text = code.indent(statement), f"{held} = {statement in self.made}"
            if statement is first:
                text += f"\n{indent}{', '.join(names.values())} = {', '.join(self.fields.values())}"
            elif statement in self.made:
                text += f"\n{indent}{', '.join(names.values())} = {', '.join(self.made[statement].values())}"
            edits.append((statement, text))
        return edits

    def _given(self, use: ast.Name) -> None:
        """None, or an object that is made there of single numbers."""
        statement = self.code.statement(use)
        match statement:
            case ast.Assign(targets=[only], value=ast.Constant(value=None)) if only is use:
                return
            case ast.AnnAssign(value=ast.Constant(value=None)):
                return
            case ast.Assign(targets=[only], value=made) if only is use and self.code.on_own_lines([statement]):
                given = self._fields_of(made)
            case _:
                raise _Refused
        texts: dict[str, str] = {}
        for field, value in given.items():
            fact = self.spot.fact(value) if isinstance(value, ast.expr) else None
            default = value if not isinstance(value, ast.expr) else None
            dtype = fact.dtype if fact is not None else {bool: "b", int: "i", float: "f"}.get(type(default), "")
            if dtype not in _BEGINS or (fact is not None and fact.ndim != 0):
                raise _Refused
            begins = _BEGINS[dtype]
            self.fields[field] = max(self.fields.get(field, begins), begins, key=lambda text: "." in text)
            texts[field] = self.code.expr(value) if isinstance(value, ast.expr) else repr(default)
        if self.fields.keys() != texts.keys():
            raise _Refused
        self.made[statement] = {field: texts[field] for field in self.fields}

    def _fields_of(self, made: ast.expr) -> dict[str, Any]:
        """What its fields are given: expressions, and the defaults of others."""
        match made:
            case ast.Dict(keys=keys, values=values) if keys and all(_is_name(key) for key in keys):
                return {str(key.value): value for key, value in zip(keys, values, strict=True) if isinstance(key, ast.Constant)}
            case ast.Call(func=func, args=args, keywords=keywords):
                kind: Any = self.spot.value(func)
            case _:
                raise _Refused
        if not _holds_what_it_is_given(kind):
            raise _Refused
        if any(isinstance(each, ast.Starred) for each in args) or any(each.arg is None for each in keywords):
            raise _Refused
        given: dict[str, Any] = {str(each.arg): each.value for each in keywords}
        found: dict[str, Any] = {}
        for place, (field, parameter) in enumerate(inspect.signature(kind).parameters.items()):
            if place < len(args):
                found[field] = args[place]
            elif field in given:
                found[field] = given[field]
            elif type(parameter.default) in (bool, int, float):
                found[field] = parameter.default
            else:
                raise _Refused
        return found

    def _asked(self, use: ast.Name, held: str, names: dict[str, str]) -> Iterator[_Edit]:
        code, parent = self.code, self.code.parents[use]
        match parent:
            case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as op], comparators=[ast.Constant(value=None)]) if (
                left is use
            ):
                inside = isinstance(code.parents[parent], ast.BoolOp)
                denied = f"(not {held})" if inside else f"not {held}"
                yield parent, held if isinstance(op, ast.IsNot) else denied
            case ast.Attribute(attr=field) if field in names:
                yield parent, names[field]
            case ast.Subscript(slice=ast.Constant(value=str() as field)) if field in names:
                yield parent, names[field]
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if test is use:
                yield use, held
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                yield use, held
            case _:
                raise _Refused


def _holds_what_it_is_given(kind: Any) -> bool:
    """Whether a class is a dataclass or a named tuple, whose objects are true and have what was given for their fields."""
    if not isinstance(kind, type) or hasattr(kind, "__bool__"):
        return False
    if issubclass(kind, tuple):
        return hasattr(kind, "_fields")
    if not dataclasses.is_dataclass(kind) or any(hasattr(kind, name) for name in ("__post_init__", "__len__")):
        return False
    return bool(attribute(attribute(kind, "__dataclass_params__", None), "init", False))


def _is_name(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isidentifier()


RULES: list[Rule] = [as_fields]
