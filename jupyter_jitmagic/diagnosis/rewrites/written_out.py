"""Selections in a tuple, list or dict that is written out: `parts = (x[m], x[~m])` → a name for each, which other rules follow.

What runs over them (`for p in parts`, `sum(p.mean() for p in parts)`) is written out as well.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import SCOPES, loaded, stored, target_names, walk

_MOST, _MOST_LINES = 6, 8  # parts, and lines of a loop that is written out for each of them

_Edits = list[tuple[ast.AST | tuple[int, int], str]]


class _OtherUse(Exception):
    """They are used in a way that names cannot stand for."""


def named(spot: Spot) -> Iterator[Step]:
    """`parts = (x[m], x[~m])` → `parts_0 = x[m]` and `parts_1 = x[~m]`, wherever they are read."""
    code, function = spot.code, spot.function
    made = code.statement(spot.node)
    match made:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Tuple(elts=values) | ast.List(elts=values)):
            keys: list[Any] = list(range(len(values)))
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=texts, values=values)):
            keys = [key.value for key in texts if isinstance(key, ast.Constant)]
        case _:
            return
    inside = any(spot.node in set(walk(value)) for value in values)
    if not (inside and isinstance(function, ast.FunctionDef) and len(set(keys)) == len(values) <= _MOST):
        return
    uses = [node for node in walk(function) if isinstance(node, ast.Name) and node.id == name]
    reads = [node for node in uses if isinstance(node.ctx, ast.Load)]
    if len(uses) > len(reads) + 1 or not code.on_own_lines([made]) or any(isinstance(each, ast.Starred) for each in values):
        return
    own = [
        code.fresh(f"{name}_{key}" if str(key).isidentifier() or type(key) is int else f"{name}_{k}")
        for k, key in enumerate(keys)
    ]
    lines = "".join(f"{code.indent(made)}{each} = {code.expr(value)}\n" for each, value in zip(own, values, strict=True))
    edits: _Edits = [(code.region([made]), lines)]
    try:
        for node in reads:
            edits += _read(spot, node, dict(zip(keys, own, strict=True)), is_dict=isinstance(made.value, ast.Dict))
    except _OtherUse:
        return
    yield spot.step("names", *edits)


def run_over(spot: Spot) -> Iterator[Step]:
    """`for v in (x[a], x[b]): …` → its lines for each."""
    around = next((at for at in spot.code.ancestors(spot.node) if isinstance(at, ast.For | ast.comprehension | ast.stmt)), None)
    if not isinstance(around, ast.For | ast.comprehension) or not isinstance(around.iter, ast.Tuple | ast.List):
        return
    values = around.iter.elts
    if len(values) > _MOST or not any(spot.node in set(walk(value)) for value in values):
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
        yield spot.step("names", *before, *_each(spot, around, [(None, part) for part in parts]))


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


RULES: list[Rule] = [named, run_over]
