"""Entries of a dict that are set beside a test on data.

They are assigned, as a choice of values has them; behind a choice that returns the dict is made anew, so that each side has its
own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from jupyter_jitmagic.diagnosis.rewrites.naming import OPERATORS
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code, is_returned, leaves
from jupyter_jitmagic.source.names import walk, walk_scope

_Update = ast.Assign | ast.AugAssign


def set_at_once(spot: Spot) -> Iterator[Step]:
    """`state.update(run=1, flips=n + 1)` → `state["run"], state["flips"] = 1, n + 1`, below the test and in the loop around
    it."""
    asked = spot.asked()
    if asked is None or not isinstance(spot.function, ast.FunctionDef):
        return
    edits = []
    around = next((at for at in spot.code.ancestors(asked[1]) if isinstance(at, ast.For | ast.While)), asked[1])
    for node in walk_scope([asked[1], around]):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="update")) as call) if type(
                spot.locals.get(name)
            ) is dict and (items := _items(spot, call)):
                places = ", ".join(f"{name}[{key}]" for key, _ in items)
                edits.append((node, f"{places} = {', '.join(value for _, value in items)}"))
    if edits:
        yield spot.step("dict", *dict(edits).items())


def _items(spot: Spot, call: ast.Call) -> list[tuple[str, str]]:
    """Keys and values that `update` is given, as text; nothing where the keys are not written out."""
    found: list[tuple[str, str]] = []
    match call.args:
        case []:
            pass
        case [ast.Dict(keys=keys, values=values)] if all(isinstance(key, ast.Constant) for key in keys):
            found += [(spot.code.src(key), _on_one_line(spot, value)) for key, value in zip(keys, values, strict=True) if key]
        case _:
            return []
    if any(each.arg is None for each in call.keywords):
        return []
    return [*found, *((f'"{each.arg}"', _on_one_line(spot, each.value)) for each in call.keywords)]


def _on_one_line(spot: Spot, value: ast.expr) -> str:
    """The text of a value, in parentheses where it goes over several lines."""
    text = spot.code.expr(value)
    return f"({text})" if "\n" in text else text


def made_anew(spot: Spot) -> Iterator[Step]:
    """`state["scale"] = v` → `state = {**state, "scale": v}`, in the whole function."""
    asked, function = spot.asked(), spot.function
    if asked is None or not isinstance(asked[1], ast.If) or not isinstance(function, ast.FunctionDef):
        return
    if not leaves([asked[1]], ast.Return):
        return
    inside = set(walk_scope([asked[1]]))
    updates = [node for node in walk_scope(function.body) if isinstance(node, _Update) and _updated(node)]
    for name in dict.fromkeys(_updated(node) for node in updates if node in inside):
        if type(spot.locals.get(name)) is not dict or not _is_its_own(spot, function, name):
            continue
        edits = [_anew(spot, name, together) for together in _in_a_row(spot, name, updates)]
        if all(text for _, text in edits):
            yield spot.step("dict", *edits)
            return


def _in_a_row(spot: Spot, name: str, updates: list[_Update]) -> Iterator[list[_Update]]:
    """The statements that set entries of the dict, together where nothing stands between, all keys are written out, and none
    reads what another sets."""
    code = spot.code
    together: list[_Update] = []
    for node in sorted((each for each in updates if _updated(each) == name), key=lambda each: code.span(each)[0]):
        behind = bool(together) and not code.text[code.span(together[-1])[1] : code.span(node)[0]].strip()
        keys = [_key(each) for each in (*together, node)]
        reads = _keys_read(spot, name, node)
        apart = reads is not None and None not in keys and not reads & set(keys[:-1])
        if together and not (behind and apart and code.block(node) is code.block(together[-1])):
            yield together
            together = []
        together.append(node)
    yield together


def _key(node: _Update) -> tuple[Any] | None:
    """(key,) where it is written out."""
    place = _place(node).slice
    return (place.value,) if isinstance(place, ast.Constant) else None


def _keys_read(spot: Spot, name: str, node: _Update) -> set[tuple[Any] | None] | None:
    """The keys whose entries a statement reads; None where it asks the dict for more than such."""
    found: set[tuple[Any] | None] = set()
    for each in ast.walk(node):
        if not isinstance(each, ast.Name) or each.id != name:
            continue
        match above := spot.code.parents[each]:
            case ast.Subscript(ctx=ast.Store()) if isinstance(node, ast.Assign) and above is _place(node):
                pass
            case ast.Subscript(slice=ast.Constant(value=key)):
                found.add((key,))
            case _:
                return None
    return found


def _updated(node: ast.AST) -> str:
    """The name of `d[k] = v` and `d[k] += v`; "" for anything else."""
    match node:
        case (
            ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))])
            | ast.AugAssign(target=ast.Subscript(value=ast.Name(id=name)))
        ):
            return name
    return ""


def _place(node: _Update) -> ast.Subscript:
    target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
    assert isinstance(target, ast.Subscript)
    return target


def _anew(spot: Spot, name: str, updates: list[_Update]) -> tuple[tuple[int, int], str]:
    """Where such statements stand, and the one that makes the dict anew; "" where a key is computed."""
    code, items = spot.code, []
    for node in updates:
        place = _place(node)
        if not isinstance(place.slice, ast.Constant | ast.Name):
            return code.span(node), ""
        value = code.expr(node.value)
        if isinstance(node, ast.AugAssign):
            value = f"{code.src(place)} {OPERATORS[type(node.op)]} {code.added(node)}"
        items.append(f"{code.src(place.slice)}: {value}")
    where = code.span(updates[0])[0], code.span(updates[-1])[1]
    return where, f"{name} = {{**{name}, {', '.join(items)}}}"


def _is_its_own(spot: Spot, function: ast.FunctionDef, name: str) -> bool:
    """Whether nothing else stands for the dict, and nothing but these statements changes it."""
    code = spot.code
    parameters = {each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
    made = [n for n in walk_scope(function.body) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
    if not made and not (name in parameters and spot.entry):
        return False  # the caller, or the function around this one, sees what is changed
    uses = (n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load))
    return all(_is_asked_alone(code, node) for node in uses)


def _is_asked_alone(code: Code, node: ast.Name) -> bool:
    """Whether a use of a dict neither changes it, but by `_updated`, nor gives it another name."""
    match parent := code.parents[node]:
        case ast.Subscript(ctx=ast.Load()):
            return True
        case ast.Subscript(ctx=ast.Store()):
            return bool(_updated(code.parents[parent]))
        case ast.Attribute(attr="get" | "copy"):
            return True
        case ast.Attribute(attr="items" | "keys" | "values"):
            return isinstance(code.parents[code.parents[parent]], ast.For | ast.comprehension | ast.Call)
        case ast.Call(func=ast.Attribute(attr="append" | "extend" | "insert" | "add" | "setdefault" | "put")):
            return False
        case ast.Call() | ast.keyword() | ast.Return() | ast.Compare():
            return True
        case ast.Tuple():
            return is_returned(code, node)
        case ast.Dict(keys=keys, values=values):
            return keys[values.index(node)] is None
    return False


RULES: list[Rule] = [set_at_once, made_anew]
