"""Selections in a tuple, list or dict that is written out: `parts = (x[m], x[~m])` → a name for each, which other rules follow.

What runs over them (`for p in parts`, `sum(p.mean() for p in parts)`) is written out as well.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_jitmagic.diagnosis.rewrites.recursion import Instead
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, bound_once, loaded, stored, target_names, walk

_MOST, _MOST_LINES = 6, 8  # parts, and lines of a loop that is written out for each of them

_Edits = list[tuple[ast.AST | tuple[int, int], str]]


class _OtherUse(Exception):
    """They are used in a way that names cannot stand for."""


@dataclass
class _Container:
    """What holds selections.

    Attributes:
        name: the variable's.
        values: its parts, by the key, the place or the field that each is read by.
        made: the statement that makes it, and those that put a part into it, one by one.
        is_dict: it is run over by its keys.
    """

    name: str
    values: dict[Any, ast.expr]
    made: list[ast.stmt]
    is_dict: bool = False


def each_part(spot: Spot) -> Iterator[Step]:
    """`a, b = (v[m] for v in (x, y))` → `a, b = (x[m], y[m])`; `[r == k for k in (1, 2)]` of what was selected alike."""
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    selected = set(stored([code.statement(spot.node)]))
    for node in walk(function):
        match node, code.parents.get(node):
            case ast.ListComp(elt=elt, generators=[each]) | ast.GeneratorExp(elt=elt, generators=[each]), ast.Assign(
                targets=[ast.Tuple() | ast.List()]
            ):
                brackets = "()"
            case ast.ListComp(elt=elt, generators=[each]), _:
                brackets = "[]"
            case _:
                continue
        match each:
            case ast.comprehension(target=ast.Name(id=name), iter=ast.Tuple(elts=parts) | ast.List(elts=parts), ifs=[]) if (
                1 < len(parts) <= _MOST and all(isinstance(part, ast.Name | ast.Constant | ast.Attribute) for part in parts)
            ):
                pass
            case _:
                continue
        inner = any(isinstance(n, (*SCOPES, *COMPREHENSIONS, ast.NamedExpr)) for n in ast.walk(elt))
        elsewhere = spot.node not in ast.walk(node) and (loaded([elt]) & selected or _selects(spot, elt))
        if not inner and (spot.node in ast.walk(elt) or elsewhere):
            texts = (Instead({name: ast.unparse(part)}).visit(copy.deepcopy(elt)) for part in parts)
            written = ", ".join(map(ast.unparse, texts))
            yield spot.step(
                "list", *(_joined(spot, function, node, written) or [(node, f"{brackets[0]}{written}{brackets[1]}")])
            )
            return


def _selects(spot: Spot, elt: ast.expr) -> bool:
    """`v[m]`, m flags."""
    slices = [node.slice for node in ast.walk(elt) if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name)]
    return any((fact := spot.fact(each)) is not None and fact.dtype == "b" and fact.ndim > 0 for each in slices)


def _joined(spot: Spot, function: ast.FunctionDef, node: ast.expr, written: str) -> _Edits:
    """The edits where the parts are joined with others, `[a, b] + parts` or `[a, *parts]`, by a name or at once; else []."""
    code, edits, used = spot.code, _Edits(), node
    match statement := code.parents[node]:
        case ast.Assign(targets=[ast.Name(id=name)]) if code.on_own_lines([statement]):
            uses = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and n is not statement.targets[0]]
            block = code.block(statement)
            if len(uses) != 1 or code.statement(uses[0]) not in block or bound_once(function, name) is not node:
                return []
            later = set(itertools.takewhile(lambda at: at is not code.statement(uses[0]), code.ancestors(uses[0])))
            if hasattr(code.statement(uses[0]), "body") or any(isinstance(at, (*SCOPES, *COMPREHENSIONS)) for at in later):
                return []
            between = block[block.index(statement) + 1 : block.index(code.statement(uses[0]))]
            if loaded([node]) & {*stored(between)}:
                return []
            used, edits = uses[0], [(code.region([statement]), "")]
    match around := code.parents[used]:
        case ast.BinOp(left=ast.List(elts=first), op=ast.Add(), right=right) if right is used:
            return [*edits, (around, f"[{''.join(f'{code.expr(each)}, ' for each in first)}{written}]")]
        case ast.Starred() if isinstance(code.parents[around], ast.List | ast.Tuple):
            return [*edits, (around, written)]
    return []


def named(spot: Spot) -> Iterator[Step]:
    """`parts = (x[m], x[~m])` → `parts_0 = x[m]` and `parts_1 = x[~m]`, wherever they are read."""
    code, function = spot.code, spot.function
    held = _container(spot)
    if held is None or not isinstance(function, ast.FunctionDef) or not 0 < len(held.values) <= _MOST:
        return
    filled = {node for statement in held.made for node in walk(statement)}
    uses = [node for node in walk(function) if isinstance(node, ast.Name) and node.id == held.name and node not in filled]
    inside = any(_is_selected(spot, value) for value in held.values.values())
    early = any(not isinstance(node.ctx, ast.Load) or node.lineno <= held.made[-1].lineno for node in uses)
    if not inside or early or not all(code.on_own_lines([statement]) for statement in held.made):
        return
    if any(isinstance(value, ast.Starred) for value in held.values.values()):
        return
    own = {
        key: code.fresh(f"{held.name}_{key}" if str(key).isidentifier() or type(key) is int else f"{held.name}_{k}")
        for k, key in enumerate(held.values)
    }
    lines = [f"{code.indent(held.made[0])}{own[key]} = {code.expr(value)}\n" for key, value in held.values.items()]
    one_by_one = len(held.made) > 1
    texts = ["", *lines] if one_by_one else ["".join(lines)]
    edits: _Edits = [(code.region([statement]), text) for statement, text in zip(held.made, texts, strict=True)]
    try:
        for node in uses:
            edits += _read(spot, node, own, is_dict=held.is_dict)
    except _OtherUse:
        return
    yield spot.step("names", *edits)


def _is_selected(spot: Spot, value: ast.expr) -> bool:
    """Whether the part is what was selected there, and no number that was made of it."""
    if isinstance(value, ast.ListComp) and any(spot.node in walk(test) for each in value.generators for test in each.ifs):
        return True
    fact = spot.fact(value) if spot.node in set(walk(value)) else None
    return fact is not None and fact.sort == "array" and fact.ndim > 0


def _container(spot: Spot) -> _Container | None:
    """The container that the statement makes or fills."""
    statement = spot.code.statement(spot.node)
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Tuple(elts=values) | ast.List(elts=values)):
            return _Container(name, dict(enumerate(values)), [statement])
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys, values=values)):
            known = {key.value: value for key, value in zip(keys, values, strict=True) if isinstance(key, ast.Constant)}
            return _Container(name, known, [statement], is_dict=True) if len(known) == len(keys) else None
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function, args=values, keywords=named_values)):
            fields = getattr(spot.value(function), "_fields", None)  # of a named tuple
            if not isinstance(fields, tuple) or len(fields) != len(values) + len(named_values):
                return None
            by_name = {each.arg: each.value for each in named_values}
            held = dict(zip(fields, values, strict=False)) | {name: by_name[name] for name in fields if name in by_name}
            return _Container(name, held, [statement]) if len(held) == len(fields) else None
    return _filled(spot, statement)


def _filled(spot: Spot, statement: ast.stmt) -> _Container | None:
    """`parts = []`, then `parts.append(x[m])` line by line; or `parts = {}`, then `parts["in"] = x[m]`."""
    filling = _filling(statement)
    block = spot.code.block(statement)
    if filling is None or statement not in block:
        return None
    name, is_dict = filling[0], filling[1] is not None
    made: list[ast.stmt] = []
    values: dict[Any, ast.expr] = {}
    for each in block:
        match each:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.List(elts=[]) | ast.Dict(keys=[])) if target == name:
                made, values = [each], {}
        if made and (found := _filling(each)) is not None and found[0] == name:
            key = len(values) if found[1] is None else found[1].value
            if key in values:
                return None
            made.append(each)
            values[key] = found[2]
    return _Container(name, values, made, is_dict) if statement in made else None


def _filling(statement: ast.stmt) -> tuple[str, ast.Constant | None, ast.expr] | None:
    """(container, key, part) of a statement that puts a part into a container."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value], keywords=[])):
            return name, None, value
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=ast.Constant() as key)], value=value):
            return name, key, value
    return None


def in_a_comprehension(spot: Spot) -> Iterator[Step]:
    """`groups = []`, `for k in keys: groups.append(x[labels == k])` → `groups = [x[labels == k] for k in keys]`."""
    code, statement = spot.code, spot.code.statement(spot.node)
    filling, loop = _filling(statement), code.parents.get(statement)
    if filling is None or not isinstance(loop, ast.For) or loop.body != [statement] or loop.orelse:
        return
    if not _is_selected(spot, filling[2]):
        return
    block = code.block(loop)
    made = block[block.index(loop) - 1] if block.index(loop) else None
    name, key, value = filling
    match made, loop.target:
        case ast.Assign(targets=[ast.Name(id=target)], value=ast.List(elts=[])), ast.Name(id=each) if (
            target == name and not key
        ):
            pass
        case _:
            return
    later = [node for node in walk(spot.function) if isinstance(node, ast.Name) and node.id == each] if spot.function else []
    if any(node not in set(walk(loop)) for node in later) or not code.on_own_lines([made, loop]):
        return
    text = f"{name} = [{code.expr(value)} for {each} in {code.expr(loop.iter)}]"
    yield spot.step("list", (code.region([made, loop]), f"{code.indent(loop)}{text}\n"))


def run_over(spot: Spot) -> Iterator[Step]:
    """`for v in (x[a], x[b]): …` → its lines for each."""
    around = next((at for at in spot.code.ancestors(spot.node) if isinstance(at, ast.For | ast.comprehension | ast.stmt)), None)
    if not isinstance(around, ast.For | ast.comprehension):
        return
    match around.iter:
        case ast.Tuple(elts=values) | ast.List(elts=values):
            counted = False
        case ast.Call(func=ast.Name(id="enumerate"), args=[ast.Tuple(elts=values) | ast.List(elts=values)], keywords=[]):
            counted = True
        case _:
            return
    if len(values) > _MOST or not any(_is_selected(spot, value) for value in values):
        return
    code = spot.code
    before: _Edits = []
    statement = around if isinstance(around, ast.For) else code.statement(spot.node)
    parts = [code.operand(value) for value in values]
    in_a_loop = isinstance(around, ast.For) and loaded(values) & set(stored(around.body))  # they are computed before its rounds
    calls = isinstance(around, ast.comprehension) and any(
        isinstance(each, ast.Call) for value in values for each in walk(value)
    )
    if in_a_loop or calls:  # each is computed once
        simple = isinstance(statement, ast.For | ast.Assign | ast.AugAssign | ast.Return | ast.Expr)
        if not simple or code.function(spot.node) is not code.function(statement) or not code.on_own_lines([statement]):
            return
        own = [code.fresh(f"part_{k}") for k in range(len(values))]
        indent, (start, _) = code.indent(statement), code.region([statement])
        before = [((start, start), "".join(f"{indent}{name} = {part}\n" for name, part in zip(own, parts, strict=True)))]
        parts = own
    with contextlib.suppress(_OtherUse):
        keyed = [(str(k) if counted else None, part) for k, part in enumerate(parts)]
        yield spot.step("names", *before, *_each(spot, around, keyed))


def _read(spot: Spot, node: ast.Name, own: dict[Any, str], *, is_dict: bool) -> _Edits:
    """One place that reads them."""
    code, names = spot.code, list(own.values())
    parent = code.parents[node]
    whole: ast.AST = code.parents[parent] if isinstance(parent, ast.Attribute) else node
    around = code.parents[whole]
    match parent:
        case ast.Subscript(value=value, slice=ast.Constant(value=key), ctx=ast.Load()) if value is node and key in own:
            return [(parent, own[key])]
        case ast.Subscript(value=value, slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(back)))) if (
            value is node and not is_dict and 0 < back <= len(names)
        ):
            return [(parent, names[-back])]
        case ast.Subscript(value=value, slice=ast.Constant(value=int(place)), ctx=ast.Load()) if value is node and not is_dict:
            if 0 <= place < len(names):  # of a named tuple
                return [(parent, names[place])]
        case ast.Attribute(value=value, attr=field) if value is node and field in own and not is_dict:
            return [(parent, own[field])]
        case ast.Call(func=ast.Name(id="len"), args=[_]):
            return [(parent, str(len(names)))]
        case ast.Assign(targets=[ast.Tuple(elts=targets)]) if not is_dict and len(targets) == len(names):
            return [(node, ", ".join(names))]
        case ast.Attribute(attr="values" | "items" as what) if is_dict and isinstance(whole, ast.Call) and not whole.args:
            if isinstance(around, ast.For | ast.comprehension) and around.iter is whole:
                return _each(spot, around, [(repr(key) if what == "items" else None, each) for key, each in own.items()])
        case ast.For() | ast.comprehension() if parent.iter is node and not is_dict:
            return _each(spot, parent, [(None, each) for each in names])
    raise _OtherUse


def _each(spot: Spot, around: ast.For | ast.comprehension, parts: Sequence[tuple[str | None, str]]) -> _Edits:
    """What runs over the parts, (key, value) or (None, value), written out for each."""
    code = spot.code
    match around.target, parts[0][0]:
        case ast.Name(id=name), None:
            key = ""
        case ast.Tuple(elts=[ast.Name(id=key), ast.Name(id=name)]), str():
            pass
        case _:
            raise _OtherUse
    if isinstance(around, ast.For):
        return [(code.region([around]), _rounds(spot, around, key, name, parts))]
    made = code.parents[around]
    assert isinstance(made, ast.expr)
    if not isinstance(made, ast.ListComp | ast.GeneratorExp | ast.DictComp) or len(made.generators) > 1 or around.ifs:
        raise _OtherUse
    written = [made.key, made.value] if isinstance(made, ast.DictComp) else [made.elt]
    hidden = {each for part in written for scope in walk(part) if isinstance(scope, SCOPES) for each in _bound_in(scope)}
    if hidden & {key, name} or any(isinstance(node, ast.NamedExpr) for part in written for node in walk(part)):
        raise _OtherUse
    texts = []
    for label, value in parts:
        new = {name: value, key: label}
        of_part = [n for part in written for n in walk(part) if isinstance(n, ast.Name) and new.get(n.id)]
        edits = [(*code.span(n), str(new[n.id])) for n in of_part]
        texts.append(": ".join(code.edited(*code.span(part), edits) for part in written))
    start, _ = code.span(made)
    inner = ", ".join(texts)
    if isinstance(made, ast.DictComp):
        return [(made, f"{{{inner}}}")]
    return [(made, f"([{inner}])" if code.text[start] == "(" else f"[{inner}]")]


def _bound_in(scope: ast.AST) -> set[str]:
    names = {node.arg for node in walk(scope) if isinstance(node, ast.arg)}
    return names | {name for node in walk(scope) if isinstance(node, ast.comprehension) for name in target_names(node.target)}


def _rounds(spot: Spot, loop: ast.For, key: str, name: str, parts: Sequence[tuple[str | None, str]]) -> str:
    """The rounds of a short loop, one below the other."""
    code, indent = spot.code, spot.code.indent(loop)
    text = code.block_text(loop.body, indent)
    leaving = leaves(loop.body, (ast.Break, ast.Continue, ast.Return))
    if loop.orelse or leaving or len(text.splitlines()) * len(parts) > _MOST * _MOST_LINES or not code.on_own_lines(loop.body):
        raise _OtherUse
    rounds = []
    for label, value in parts:
        named_key = f"{indent}{key} = {label}\n" if key else ""
        rounds.append(f"{named_key}{indent}{name} = {value}\n{text}")
    return "".join(rounds)


RULES: list[Rule] = [in_a_comprehension, named, run_over, each_part]
