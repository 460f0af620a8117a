"""A function that writes to objects as one that takes their attributes and gives the new ones back; text in, text out.

What it calls of the objects' methods is written again in the same way, as functions beside it: `self.predict(x)` becomes
`pure_predict(w, x)`. Nothing of the user's runs.
"""

from __future__ import annotations

import ast
import inspect
import types
from collections import deque
from collections.abc import Mapping
from typing import Any

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.objects.attributes import (
    Method,
    Path,
    families,
    is_users_object,
    method_at,
)
from jupyter_jitmagic.diagnosis.objects.keyed import GROWING, CannotLift
from jupyter_jitmagic.diagnosis.objects.lifted_text import Lifted, Text
from jupyter_jitmagic.diagnosis.objects.noted import Noted
from jupyter_jitmagic.sandbox.known_effects import MUTATORS
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.definitions import definition_in
from jupyter_jitmagic.source.names import walk
from jupyter_jitmagic.source.units import unit_of

_CONTAINERS = (list, dict, set, deque)
_MUTATORS = MUTATORS | {"popleft", "appendleft"}
_MOST_METHODS = 12


class Lifting(Noted):
    """The functions that stand for one that writes to objects.

    Args:
        objects: the objects by the path at which they are reached, as ``("self",)``.
        globals_: of the function; a method from elsewhere is not followed.
    """

    def __init__(self, objects: Mapping[Path, Any], globals_: dict[str, Any]) -> None:
        super().__init__(objects, globals_)
        self._made: dict[tuple[Any, tuple[tuple[str, Path], ...]], Lifted] = {}
        self._open: list[types.FunctionType] = []
        self.defaults: dict[str, types.FunctionType] = {}

    @property
    def helpers(self) -> list[Lifted]:
        """Those that the main one calls, in the order in which they can be defined."""
        return list(self._made.values())[:-1]

    def lift(self, function: types.FunctionType, bound: Mapping[str, Path]) -> Lifted:
        """The function of the attributes that stands for `function`, whose parameters `bound` are objects.

        Raises:
            CannotLift, NoSource.
        """
        key = function.__code__, tuple(sorted(bound.items()))
        if key in self._made:
            return self._made[key]
        if any(each is function for each in self._open):
            raise CannotLift(f"{function.__name__} calls itself")
        if len(self._made) > _MOST_METHODS or function.__globals__.get("__name__") != self.globals.get("__name__"):
            raise CannotLift(f"{function.__name__} is not followed")
        self._open.append(function)
        try:
            made = self._lifted(function, bound)
        finally:
            self._open.pop()
        self._made[key] = made
        return made

    def _lifted(self, function: types.FunctionType, bound: Mapping[str, Path]) -> Lifted:
        unit = unit_of(function.__code__, function.__globals__)
        code = Code(unit.text)
        node = definition_in(code, unit, function)
        made = _Writer(self, code, node, bound, len(self._open) == 1).lifted()
        self.defaults[made.name] = function
        return made

    def check_classes(self, function: types.FunctionType) -> None:
        """What is written of a method's own class has to be right for the classes that are made of it.

        Raises:
            CannotLift: one of them has a method of its own in the place of one that is called.
        """
        for path in self.methods:
            owner = type(self.value(path[:-1]))
            defining = [each for each in owner.__mro__ if vars(each).get(function.__name__) is not None]
            for kind in families(defining[-1]) if len(path) == 2 and defining else ():
                if inspect.getattr_static(kind, path[-1], None) is not self.methods[path]:
                    raise CannotLift(f"{kind.__name__} has a {path[-1]} of its own")

    @property
    def others(self) -> dict[Path, str]:
        """Objects beside the method's own whose methods are written out here, and their classes."""
        owners = dict.fromkeys(path[:-1] for path in self.methods if path[:-1] != ("self",))
        return {owner: type(self.value(owner)).__name__ for owner in owners}


class _Writer(Text):
    """One function, whose uses of the objects become uses of their attributes."""

    lifting: Lifting

    def lifted(self) -> Lifted:
        for node in [each for stmt in self.body for each in walk(stmt) if isinstance(each, ast.Name) and each.id in self.bound]:
            self._use(node)
        gives, gives_object = self._returns()
        return self._text(gives, gives_object)

    # -- uses of the objects ---------------------------------------------------------------------------

    def _use(self, name: ast.Name) -> None:
        code, lifting = self.code, self.lifting
        if name in self._returned:
            return
        path, node = self.bound[name.id], name
        at: ast.expr = node
        while isinstance(parent := code.parents[at], ast.Attribute) and parent.value is at:
            path, at = (*path, parent.attr), parent
            value = lifting.value(path)
            if not is_users_object(value):
                break
        calls = code.parents[at]
        if is_users_object(lifting.value(path)) and isinstance(calls, ast.Call) and calls.func is at:
            method = method_at(lifting.objects, (*path, "__call__"))
            if isinstance(method, types.FunctionType):
                self._method(at, (*path, "__call__"), method)
                return
        if at is name:
            raise CannotLift(f"`{code.src(code.statement(name))}` hands {name.id} on")
        assert isinstance(at, ast.Attribute | ast.Subscript)
        if path[-1].startswith("__"):
            raise CannotLift(f"it asks for {code.src(at)}")
        method = method_at(lifting.objects, path)
        if method is not None:
            self._method(at, path, method)
            return
        value = lifting.value(path)
        if is_users_object(value):
            raise CannotLift(f"`{code.src(code.statement(name))}` hands {code.src(at)} on")
        found = lifting.keyed.item(code, self.body, at, path, value) if type(value) is dict else None
        if found is not None:
            at, path = found
            value = lifting.value(path)
        if isinstance(at.ctx, ast.Del):
            raise CannotLift(f"it deletes {code.src(at)}")
        self._edit(at, self._variable(path))
        self._data(at, path, value)

    def _data(self, at: ast.Attribute | ast.Subscript, path: Path, value: Any) -> None:
        """An attribute that is read, written, or changed in place."""
        code, lifting, name = self.code, self.lifting, self._variable(path)
        if isinstance(at.ctx, ast.Store):
            if self._nested(at):
                raise CannotLift(f"a function inside writes {code.src(at)}")
            self.writes[path] = name
            lifting.rebound.add(path)
            lifting.seen(path, False)
            if isinstance(code.parents[at], ast.AugAssign):
                self.reads[path] = name
            return
        self.reads[path] = name
        parent = code.parents[at]
        grows = isinstance(parent, ast.Attribute) and parent.attr in GROWING and isinstance(code.parents[parent], ast.Call)
        grows = grows and isinstance(code.parents[code.parents[parent]], ast.Expr) and not self._nested(at)
        last = isinstance(parent, ast.Subscript) and code.src(parent.slice) == "-1" and isinstance(parent.ctx, ast.Load)
        lifting.seen(path, grows, last)
        if grows or (isinstance(parent, ast.Attribute) and parent.attr in _MUTATORS and isinstance(value, _CONTAINERS)):
            self.changed.add(path)
        outer: ast.AST = at
        while isinstance(above := code.parents[outer], ast.Subscript | ast.Attribute) and above.value is outer:
            outer = above
            if isinstance(outer, ast.Subscript) and isinstance(outer.ctx, ast.Store | ast.Del):
                if self._nested(at) or isinstance(outer.ctx, ast.Del):
                    raise CannotLift(f"it changes {code.src(at)} in place")
                self.changed.add(path)
            elif isinstance(outer, ast.Attribute) and isinstance(outer.ctx, ast.Store):
                raise CannotLift(f"it writes {code.src(outer)}")
            elif isinstance(outer, ast.Attribute) and outer is not parent and outer.attr in MUTATORS - {"add"}:
                self.changed.add(path)

    def _nested(self, node: ast.AST) -> bool:
        return self.code.function(node) is not self.node

    def _method(self, at: ast.expr, path: Path, method: Method) -> None:
        """A method of the object's that is called, handed on, or a property."""
        code, lifting = self.code, self.lifting
        function = method.fget if isinstance(method, property) else attribute(method, "__func__", method)
        if not isinstance(function, types.FunctionType) or not isinstance(getattr(at, "ctx", None), ast.Load):
            raise CannotLift(f"{code.src(at)} is no plain method")
        lifting.methods[path] = inspect.getattr_static(type(lifting.value(path[:-1])), path[-1], None)
        alone = isinstance(method, staticmethod)
        first = next(iter(inspect.signature(function).parameters), None)
        if first is None and not alone:
            raise CannotLift(f"{code.src(at)} takes no object")
        made = lifting.lift(function, {} if alone or first is None else {first: path[:-1]})
        for asked in made.inputs:
            self.reads[asked] = self._variable(asked)
        call = code.parents[at]
        given = ", ".join(self._variable(each) for each in made.inputs)
        if isinstance(method, property):
            if made.outputs:
                raise CannotLift(f"the property {path[-1]} writes")
            self._edit(at, f"{made.name}({given})")
        elif isinstance(call, ast.Call) and call.func is at:
            if self._formatted(at) is not None:
                raise CannotLift(f"an f-string calls {code.src(at)}")
            begin = code.text.index("(", code.span(at)[1])
            self.edits.append((*code.span(at), made.name))
            if given:
                more = ", " if call.args or call.keywords else ""
                self.edits.append((begin + 1, begin + 1, given + more))
            if made.outputs:
                self._writing_call(call, made)
        elif made.outputs:
            raise CannotLift(f"{code.src(at)}, which writes, is handed on")
        else:
            self._edit(at, self._handed_on(function, made, given))

    @staticmethod
    def _handed_on(function: types.FunctionType, made: Lifted, given: str) -> str:
        """A method as a value: like the method itself, it asks for the attributes when it is called."""
        if not given:
            return made.name
        parameters = list(inspect.signature(function).parameters.values())[1:]
        plain = all(each.kind is each.POSITIONAL_OR_KEYWORD and each.default is each.empty for each in parameters)
        names = ", ".join(each.name for each in parameters)
        if not plain or {each.name for each in parameters} & set(given.split(", ")):
            return f"(lambda *args, **kwargs: {made.name}({given}, *args, **kwargs))"
        return f"(lambda {names}: {made.name}({', '.join(filter(None, (given, names)))}))"

    def _writing_call(self, call: ast.Call, made: Lifted) -> None:
        """The call of a method that writes: what it writes is taken from it."""
        code = self.code
        statement = code.statement(call)
        if self._nested(call):
            raise CannotLift(f"a function inside calls {made.name}")
        names = []
        for path in made.outputs:
            self.writes[path] = self._variable(path)
            names.append(self._variable(path))
        listed = ", ".join(names)
        start, _ = code.span(statement)
        match statement:
            case ast.Expr(value=value) if value is call:
                self.edits.append((start, start, f"{'_, ' if made.gives else ''}{listed} = "))
            case ast.Assign(targets=[target], value=value) if value is call and made.gives:
                begin, last = code.span(target)
                if isinstance(target, ast.Tuple | ast.List):
                    self.edits += [(begin, begin, "("), (last, last, f"), {listed}")]
                else:
                    self.edits.append((last, last, f", {listed}"))
            case _:
                raise CannotLift(f"`{code.src(statement)}` writes and computes in one")
