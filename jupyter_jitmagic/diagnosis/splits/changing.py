"""Which statements change what is not the function's own: a trace would do it once, and leave tracers there."""

from __future__ import annotations

import ast
import types
from collections.abc import Collection, Iterator
from typing import Any

from jupyter_jitmagic.base.looking import in_class, own_attribute
from jupyter_jitmagic.diagnosis.splits.cutting import Key
from jupyter_jitmagic.diagnosis.splits.program import Place
from jupyter_jitmagic.diagnosis.splits.statements import blocks_of, changes_outside, is_more, may_isolate
from jupyter_jitmagic.sandbox.own_making import value_of
from jupyter_jitmagic.sandbox.purity import impurity
from jupyter_jitmagic.source.names import loaded, shared, stored, walk_scope
from jupyter_jitmagic.usercode.ownership import is_users_text


def changing(place: Place, function: types.FunctionType) -> tuple[set[Key], dict[ast.stmt, ast.expr]]:
    """The statements that do so, by their text or by what they call; of some the call alone, if that may stand before."""
    arguments, body = place.node.args, place.node.body
    named = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    own = {each.arg for each in named if each is not None} | set(stored(body))
    helpers = {
        name
        for name in loaded(body) - own
        if isinstance(helper := function.__globals__.get(name), types.FunctionType) and _changes(helper)
    }
    outside = shared(body)
    keys: set[Key] = set()
    apart: dict[ast.stmt, ast.expr] = {}
    for stmt in [node for node in walk_scope(body) if isinstance(node, ast.stmt) and not any(blocks_of(node))]:
        calls = [call for call, method in _methods(stmt, function, own) if _changes(method)]
        whole = changes_outside(stmt, own - outside) or loaded([stmt]) & helpers or outside.intersection(stored([stmt]))
        if not whole and len(calls) == 1 and _may_stand_before(place, stmt, calls[0]):
            apart[stmt] = calls[0]
            keys.add((stmt, 1))
        elif whole or calls:
            keys.add((stmt, 0))
    return keys, apart


def _changes(helper: Any) -> bool:
    return impurity(helper)[0].startswith(("it changes", "it writes"))


def _methods(stmt: ast.stmt, function: types.FunctionType, own: Collection[str]) -> Iterator[tuple[ast.Call, Any]]:
    """The calls of the user's methods, of objects that are no names of the function's own."""
    for node in walk_scope([stmt]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            held = _held(node.func.value, function, own)
            method = in_class(held, node.func.attr)
            if isinstance(method, types.FunctionType) and is_users_text(method.__code__.co_filename):
                yield node, types.MethodType(method, held)


def _held(node: ast.expr, function: types.FunctionType, own: Collection[str]) -> Any:
    """The object that a dotted name stands for, no property being asked."""
    if isinstance(node, ast.Attribute):
        return own_attribute(_held(node.value, function, own), node.attr)
    return value_of(node, function) if isinstance(node, ast.Name) and node.id not in own else None


def _may_stand_before(place: Place, stmt: ast.stmt, call: ast.Call) -> bool:
    """Whether a call may stand in a line of its own before what its statement makes of it."""
    given = [*call.args, *(each.value for each in call.keywords)]
    simple = all(isinstance(each, ast.Name | ast.Constant) for each in given)
    return simple and is_more(stmt, call) and may_isolate(place.code, stmt, call)
