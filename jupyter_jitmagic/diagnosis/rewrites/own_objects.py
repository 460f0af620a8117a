"""Objects that a function makes, and whose methods write their attributes: their attributes as variables of the function.

`stats = RunningMean()`, `stats.update(v)` → what `__init__` and `update` do, with `stats_mean` in the place of `self.mean`: the
rounds of a loop carry variables, and the sides of a choice give them back.
"""

from __future__ import annotations

import ast
import dataclasses
import types
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from jupyter_jitmagic.diagnosis.rewrites.inlining import Inlining, same_globals
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import SCOPES
from jupyter_jitmagic.source.units import NoSource, unit_of
from jupyter_jitmagic.usercode.ownership import is_users_text

MOST_CALLS = 20  # of methods, in one function
_BY_HAND = ("__getattr__", "__getattribute__", "__setattr__", "__slots__", "__new__", "__post_init__", "__del__")


def beside_a_test(spot: Spot) -> Iterator[Step]:
    """`if v > 0: stats.update(v)`: the test is in the function that makes the object."""
    if spot.kind == BOOL and not isinstance(spot.node, ast.Call):
        yield from in_its_function(spot)


def around_a_method(spot: Spot) -> Iterator[Step]:
    """The test is in a method, and this is where the method is called."""
    if isinstance(spot.node, ast.Call):
        yield from in_its_function(spot)


def in_its_function(spot: Spot) -> Iterator[Step]:
    """The function without the first of its objects that has methods which write."""
    if not isinstance(spot.function, ast.FunctionDef):
        return
    for name, kind in _made_here(spot, spot.function):
        text = _without(spot, name, kind)
        if text is not None:
            yield Step(text, "inline", spot.line)
            return


def _made_here(spot: Spot, function: ast.FunctionDef) -> Iterator[tuple[str, type]]:
    """(variable, class) of each object that only this function reaches: it is made there once, and nothing is asked for but
    its attributes."""
    nodes = list(ast.walk(function))
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name() as made)):
                kind = spot.value(made)
            case _:
                continue
        named = [each for each in nodes if isinstance(each, ast.Name) and each.id == name]
        uses = [each for each in named if isinstance(each.ctx, ast.Load)]
        parents = [spot.code.parents[each] for each in uses]
        alone = len(named) == len(uses) + 1 and all(
            (isinstance(at, ast.Attribute) and at.value is use) or (isinstance(at, ast.Call) and at.func is use)
            for use, at in zip(uses, parents, strict=True)
        )
        inside = any(at is not function and isinstance(at, SCOPES) for use in uses for at in _scopes(spot.code, use, function))
        if alone and not inside and _is_plain(kind):
            yield name, kind


def _scopes(code: Code, node: ast.AST, function: ast.FunctionDef) -> Iterator[ast.AST]:
    for at in code.ancestors(node):
        if at is function:
            return
        yield at


def _is_plain(kind: Any) -> bool:
    """Whether a class is the user's own, with attributes that are what was written there."""
    if not isinstance(kind, type) or kind.__mro__ != (kind, object) or type(kind) is not type:
        return False
    held = vars(kind)
    methods = [each for each in held.values() if isinstance(each, types.FunctionType)]
    own = [each for each in methods if is_users_text(each.__code__.co_filename)]
    return bool(own) and not any(name in held for name in _BY_HAND)


def _without(spot: Spot, name: str, kind: type) -> str | None:
    """The text in which the attributes of this object are variables; None where it has to stay an object."""
    text = spot.code.text
    for _ in range(MOST_CALLS):
        code = Code(text)
        function = _same(code, spot.function)
        if function is None:
            return None
        call = _next_call(code, function, name)
        if call is None:
            break
        method = "__call__" if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        made = _inlining(replace(spot, code=code, node=call), call, kind, method, name)
        step = next(made.by_ways(), None) if made is not None else None
        if step is None:
            return None
        text = step.text
    else:
        return None
    made_text = _made_of_variables(spot, text, name, kind)
    return None if made_text is None else _with_variables(spot, made_text, name, kind)


def _same(code: Code, function: Any) -> ast.FunctionDef | None:
    named = [node for node in ast.walk(code.tree) if isinstance(node, ast.FunctionDef) and node.name == function.name]
    return named[0] if len(named) == 1 else None


def _next_call(code: Code, function: ast.FunctionDef, name: str) -> ast.Call | None:
    """A call of a method whose own arguments call none."""
    calls = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and (_is(node.func, name) or _is(getattr(node.func, "value", None), name))
    ]
    return next((each for each in calls if not any(other in calls for other in code.below(each) if other is not each)), None)


def _is(node: ast.AST | None, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _inlining(spot: Spot, call: ast.Call, kind: type, method: str, owner: str) -> Inlining | None:
    found = vars(kind).get(method)
    owner_text: str | None = owner
    if isinstance(found, staticmethod):
        found, owner_text = found.__func__, None
    if not isinstance(found, types.FunctionType) or found.__code__.co_freevars:
        return None
    if found.__globals__ is not spot.globals and not same_globals(found, spot):
        return None
    try:
        unit = unit_of(found.__code__, found.__globals__)
    except NoSource:
        return None
    source = Code(unit.text)
    line = found.__code__.co_firstlineno - unit.first_line + 1
    nodes = [node for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef) and node.name == method]
    nodes = [node for node in nodes if min([node.lineno, *(each.lineno for each in node.decorator_list)]) == line]
    return Inlining(spot, call, source, nodes[0], owner_text) if len(nodes) == 1 else None


def _made_of_variables(spot: Spot, text: str, name: str, kind: type) -> str | None:
    """The text with what `__init__` does in the place of the call that makes the object."""
    code = Code(text)
    function = _same(code, spot.function)
    for node in ast.walk(function) if function is not None else ():
        match node:
            case ast.Assign(targets=[ast.Name(id=each)], value=ast.Call() as call) if each == name:
                break
    else:
        return None
    if dataclasses.is_dataclass(kind):
        return _of_fields(code, node, call, name, kind)
    here = replace(spot, code=code, node=call)
    if "__init__" not in vars(kind):
        return code.replace((code.region([node]), "")) if not (call.args or call.keywords) else None
    made = _inlining(here, call, kind, "__init__", name)
    step = next(made.by_ways(instead=node), None) if made is not None else None
    return step.text if step is not None else None


def _of_fields(code: Code, node: ast.Assign, call: ast.Call, name: str, kind: Any) -> str | None:
    """Likewise of a dataclass."""
    fields = [each for each in dataclasses.fields(kind) if each.init]
    if len(fields) < len(dataclasses.fields(kind)) or any(each.arg is None for each in call.keywords):
        return None
    if any(isinstance(each, ast.Starred) for each in call.args) or len(call.args) > len(fields):
        return None
    given = dict(zip((each.name for each in fields), map(code.src, call.args), strict=False))
    given |= {each.arg: code.src(each.value) for each in call.keywords if each.arg is not None}
    for each in fields:
        if each.name not in given:
            if type(each.default) not in (int, float, bool, type(None)) or each.default in (float("inf"), -float("inf")):
                return None
            given[each.name] = repr(each.default)
    indent = code.indent(node)
    lines = "".join(f"{indent}{name}.{each.name} = {given[each.name]}\n" for each in fields)
    return code.replace((code.region([node]), lines))


def _with_variables(spot: Spot, text: str, name: str, kind: type) -> str | None:
    """The text with `stats_mean` in the place of `stats.mean`."""
    code = Code(text)
    function = _same(code, spot.function)
    if function is None:
        return None
    nodes = [node for node in ast.walk(function) if isinstance(node, ast.Attribute) and _is(node.value, name)]
    if len(nodes) != sum(_is(node, name) for node in ast.walk(function)):
        return None
    written = {node.attr for node in nodes if isinstance(node.ctx, ast.Store)}
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    new: dict[str, str] = {}
    for node in nodes:
        if node.attr not in written:
            if isinstance(vars(kind).get(node.attr), int | float | str | tuple | bool | type(None)) and node.attr in vars(kind):
                edits.append((node, f"{kind.__name__}.{node.attr}"))
                continue
            return None
        if node.attr in vars(kind) and not dataclasses.is_dataclass(kind):
            return None  # an attribute of the class until it is written
        new.setdefault(node.attr, code.fresh(f"{name}_{node.attr}", f"{name}_own_{node.attr}"))
        edits.append((node, new[node.attr]))
    return code.replace(*edits)


RULES: list[Rule] = [beside_a_test]
OUTWARD: list[Rule] = [around_a_method]
