"""Dicts that a loop fills once for each of the labels that occur: `means[int(k)] = x[y == k].mean()`, `k` in `jnp.unique(y)`.

Labels and values, each in its order, say what such a dict does, where nobody asks for the value of a given key: the labels are
those that `unique` gives, the values a list, which other rules follow.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.selected_by_turn import are_distinct, is_key
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, loaded, stored, walk

_Edits = list[tuple[ast.AST | tuple[int, int], str]]


class _Refused(Exception):
    """Something else is done with a dict."""


@dataclass(frozen=True)
class _Filled:
    """How dicts are filled.

    Attributes:
        at: the statement that fills them.
        each: what the loop calls a label.
        over: what it runs over.
        values: of each dict the value for a label.
        empty: where they are made.
        apart: names that the loop binds for the values, with what they are.
    """

    at: ast.stmt
    each: str
    over: ast.expr
    values: dict[str, ast.expr]
    empty: list[ast.stmt] = field(default_factory=list)
    apart: Mapping[str, ast.expr] = field(default_factory=dict)


def as_lists(spot: Spot) -> Iterator[Step]:
    """The labels and a list of values in the place of each dict."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef) or not isinstance(spot.node, ast.expr):
        return
    given = set(stored([spot.code.statement(spot.node)]))
    for filled in _filled(spot, function):
        over = _array_of(filled.over)
        if spot.node in walk(filled.over) or (isinstance(over, ast.Name) and over.id in given):
            try:
                edits, excludes = _edits(spot, function, filled)
            except _Refused:
                return
            yield spot.step("list", *edits, excludes=excludes)
            return


def _array_of(over: ast.expr) -> ast.expr:
    """`jnp.unique(y)` of `jnp.unique(y).tolist()`."""
    match over:
        case ast.Call(func=ast.Attribute(value=array, attr="tolist"), args=[]):
            return array
    return over


def _filled(spot: Spot, function: ast.FunctionDef) -> Iterator[_Filled]:
    code = spot.code
    for statement in walk(function):
        match statement:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.DictComp(
                    key=key, value=value, generators=[ast.comprehension(target=ast.Name(id=each), iter=over, ifs=[])]
                ),
            ):
                found: _Filled | None = _Filled(statement, each, over, {name: value})
                keys = [key]
            case ast.For(target=ast.Name(id=each), iter=over, orelse=[]):
                found, keys = _by_a_loop(code, statement, each)
            case _:
                continue
        array = _array_of(over)
        if found is None or not are_distinct(function, array) or not all(is_key(spot, key, each, array) for key in keys):
            continue
        if code.on_own_lines([found.at, *found.empty]):
            yield found


def _by_a_loop(code: Code, loop: ast.For, each: str) -> tuple[_Filled | None, list[ast.expr]]:
    apart: dict[str, ast.expr] = {}
    values: dict[str, ast.expr] = {}
    keys: list[ast.expr] = []
    for statement in loop.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in apart:
                apart[name] = value
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=key)], value=value) if name not in values:
                values[name] = value
                keys.append(key)
            case _:
                return None, []
    block = code.block(loop)
    before = block[: block.index(loop)]
    empty = [made for name in values if (made := _emptied_before(before, name)) is not None]
    named = {node.id for part in (*apart.values(), *values.values()) for node in walk(part) if isinstance(node, ast.Name)}
    if not values or len(empty) < len(values) or {each, *apart} & code.live_after(loop) or named & values.keys():
        return None, []
    keys = [apart[key.id] if isinstance(key, ast.Name) and key.id in apart else key for key in keys]
    return _Filled(loop, each, loop.iter, values, empty, apart), keys


def _emptied_before(before: list[ast.stmt], name: str) -> ast.stmt | None:
    """`means = {}`, and nothing else of it up to the loop."""
    named = [made for made in before if any(isinstance(node, ast.Name) and node.id == name for node in walk(made))]
    match named:
        case [
            ast.Assign(
                targets=[ast.Name()], value=ast.Dict(keys=[]) | ast.Call(func=ast.Name(id="dict"), args=[], keywords=[])
            ) as made
        ]:
            return made
    return None


def _edits(spot: Spot, function: ast.FunctionDef, filled: _Filled) -> tuple[_Edits, dict[str, str]]:
    code = spot.code
    inside = {node for statement in (filled.at, *filled.empty) for node in walk(statement)}
    array = _array_of(filled.over)
    keys = array.id if isinstance(array, ast.Name) else code.fresh("keys", "labels", f"{filled.each}_values")
    edits: _Edits = []
    excludes: dict[str, str] = {}
    for node in walk(function):
        if not isinstance(node, ast.Name) or node.id not in filled.values or node in inside:
            continue
        late = node.lineno > filled.at.lineno and code.parents[filled.at] in code.ancestors(node)
        if not late or not isinstance(node.ctx, ast.Load) or code.function(node) is not function:
            raise _Refused
        if _is_asked_by(spot, node):
            continue
        whole, text = _read(spot, node, keys)
        edits.append((whole, text))
        match code.parents[whole]:
            case ast.Call(func=ast.Name(id="sorted")):
                excludes |= {"nan": "the order that sorted() gives to NaN"}
        if text.startswith(f"{keys}["):
            excludes |= {"nan": "the place that max() and min() give to NaN"}
    if not edits:
        raise _Refused
    indent = code.indent(filled.at)
    lines = "" if isinstance(array, ast.Name) else f"{indent}{keys} = {code.expr(array)}\n"
    for name, value in filled.values.items():
        lines += f"{indent}{name} = [{_value(code, filled, value)} for {filled.each} in {keys}]\n"
    return [*((code.region([made]), "") for made in filled.empty), (code.region([filled.at]), lines), *edits], excludes


def _read(spot: Spot, use: ast.Name, keys: str) -> tuple[ast.AST, str]:
    """(what reads a dict, that of its labels and values)."""
    parents, name = spot.code.parents, use.id
    match parents[use]:
        case ast.Attribute(attr="values" | "keys" | "items" as how) as method:
            call = parents[method]
            if not isinstance(call, ast.Call) or call.func is not method or call.args:
                raise _Refused
            if how == "values":
                return call, name
            if how == "items" and _runs_over(parents[call], call):
                return call, f"zip({keys}, {name})"
            if how == "keys" and _is_made_a_list(spot, parents[call], call):
                return call, keys
        case ast.Call(func=ast.Name(id="len"), args=[_]) if spot.is_builtin("len"):
            return use, name
        case (
            ast.Call(
                func=ast.Name(id="max" | "min" as most),
                args=[only],
                keywords=[ast.keyword(arg="key", value=ast.Attribute(value=ast.Name(id=same), attr="get"))],
            ) as call
        ) if only is use and same == name and spot.is_builtin(most):
            return call, f"{keys}[{spot.jnp(f'arg{most}')}({spot.jnp('array')}({name}))]"
        case ast.Subscript(slice=key, ctx=ast.Load()) as item if item.value is use and loaded([key]) - {name}:
            spot.refuse_where_caught(KeyError)
            place = f"{spot.jnp('argmax')}({keys} == {spot.code.operand(_without_int(key))})"
            return item, f"{spot.jnp('array')}({name})[{place}]"
        case around if _runs_over(around, use) or _is_made_a_list(spot, around, use):
            return use, keys
    raise _Refused


def _without_int(key: ast.expr) -> ast.expr:
    match key:
        case (
            ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[])
            | ast.Call(func=ast.Attribute(value=inner, attr="item"), args=[], keywords=[])
        ):
            return inner
    return key


def _is_asked_by(spot: Spot, use: ast.Name) -> bool:
    """Whether it is the second name of `max(means, key=means.get)`, which goes with the first."""
    parents = spot.code.parents
    match parents[use], parents[parents[use]]:
        case ast.Attribute(attr="get"), ast.keyword(arg="key") as keyword:
            match parents[keyword]:
                case ast.Call(func=ast.Name(id="max" | "min"), args=[ast.Name(id=same)], keywords=[_]):
                    return same == use.id
    return False


def _runs_over(around: ast.AST, node: ast.expr) -> bool:
    return isinstance(around, ast.For | ast.comprehension) and around.iter is node


def _is_made_a_list(spot: Spot, around: ast.AST, node: ast.expr) -> bool:
    match around:
        case ast.Call(func=ast.Name(id="list" | "len" | "max" | "min" | "sum" as name), args=[only], keywords=[]):
            return only is node and spot.is_builtin(name)
    return _runs_over(around, node)


def _value(code: Code, filled: _Filled, value: ast.expr) -> str:
    """The value for a label, with what the loop bound for it."""
    known: dict[str, str] = {}
    for name, given in filled.apart.items():
        text = _edited(code, given, known)
        known[name] = text if text.isidentifier() else f"({text})"
    return _edited(code, value, known)


def _edited(code: Code, node: ast.expr, names: Mapping[str, str]) -> str:
    if names and any(isinstance(part, (*SCOPES, *COMPREHENSIONS)) for part in walk(node)) and loaded([node]) & names.keys():
        raise _Refused  # what has names of its own
    parts = [part for part in walk(node) if isinstance(part, ast.Name) and part.id in names]
    return code.edited(*code.span(node), [(*code.span(part), names[part.id]) for part in parts])


RULES: list[Rule] = [as_lists]
