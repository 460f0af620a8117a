"""Helpers that change an argument in place: `def push(buf, v): buf[1:] = buf[:-1]; buf[0] = v`, called in a branch or a loop.

Compiled code has no array that a helper could change for its caller. So the helper's lines stand in the place of its calls,
where other rules make what is changed an array whose updates are values. A part of an array that a helper changes
(`relax(out[k], w)`) gets a name before and is set after: `part = out[k]`, `relax(part, w)`, `out[k] = part`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from jupyter_jitmagic.diagnosis.rewrites.branches import expanded_elif
from jupyter_jitmagic.diagnosis.rewrites.buffers import is_view
from jupyter_jitmagic.diagnosis.rewrites.inlining import Inlining, helper_of
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, NoWay, Rule, Spot, Step
from jupyter_jitmagic.source.code import Code, words
from jupyter_jitmagic.source.names import SCOPES, loaded, stored, walk

MOST_CALLS = 12  # of such helpers, in one function
_CHANGING = words("append appendleft pop popleft insert extend remove add discard clear update setdefault sort reverse")


def within_the_helper(spot: Spot) -> Iterator[Step]:
    """A place in a helper that changes what it was given: what a rule did there, no caller would see.

    Raises:
        NoWay: its lines can stand in the place of its calls, where rules go on.
    """
    helper = spot.function
    if spot.entry or not isinstance(helper, ast.FunctionDef):
        return
    caller = next(iter(spot.callers()), None) if changed_in(helper) else None
    if caller is None or not isinstance(caller.node, ast.Call):
        return
    changed = changed_for(caller, caller.node, helper)
    if changed and any(in_their_places(caller)):
        raise NoWay(f"{helper.name} changes {', '.join(sorted(changed))} for its caller")
    yield from ()


def beside_a_test(spot: Spot) -> Iterator[Step]:
    """`if v > 0: push(buf, v)`: the test is in the function that holds what is changed."""
    if spot.kind == BOOL and not isinstance(spot.node, ast.Call):
        yield from in_their_places(spot)


def around_a_helper(spot: Spot) -> Iterator[Step]:
    """The place is in the helper, and this is where it is called."""
    if isinstance(spot.node, ast.Call):
        yield from in_their_places(spot)


def in_their_places(spot: Spot) -> Iterator[Step]:
    """The function with the lines of all helpers that change what is given to them, in the place of their calls."""
    if not isinstance(spot.function, ast.FunctionDef):
        return
    name, text = spot.function.name, spot.code.text
    drops = None
    for number in range(2 * MOST_CALLS):
        code = Code(text)
        functions = [each for each in walk(code.tree) if isinstance(each, ast.FunctionDef) and each.name == name]
        if len(functions) != 1:
            return
        here = replace(spot, code=code)
        call = next((each for each in _calls(functions[0]) if changes_an_argument(here, each)), None)
        if call is None:
            if number:
                yield Step(text, "inline", spot.line, drops=drops)
            return
        apart = _apart(here, call) or _with_parts_named(here, call)
        if apart is not None:
            text = apart
            continue
        made = Inlining.of(replace(here, node=call), call)
        step = next(made.by_ways(), None) if made is not None else None
        if step is None:
            return
        text, drops = step.text, step.drops or drops


def _apart(spot: Spot, call: ast.Call) -> str | None:
    """The text with the call in the test of an `if` of its own, where it stands behind `elif` or `and`; None elsewhere."""
    code, statement = spot.code, spot.code.statement(call)
    if code.is_elif(statement) and isinstance(statement, ast.If):
        return expanded_elif(spot, statement).text
    match statement:
        case ast.If(test=ast.BoolOp(op=ast.And(), values=[first, *others]), orelse=[]) if call not in walk(first):
            indent = code.indent(statement)
            rest = " and ".join(map(code.src, others))
            body = code.block_text(statement.body, indent + 8 * " ")
            text = f"{indent}if {code.src(first)}:\n{indent}    if {rest}:\n{body}"
            return code.replace((code.region([statement]), text)) if code.on_own_lines([statement]) else None
    return None


def _with_parts_named(spot: Spot, call: ast.Call) -> str | None:
    """The text with names for the parts of arrays that the helper changes; None where it changes none, or it stands elsewhere
    than alone in its statement."""
    code, statement, helper = spot.code, spot.code.statement(call), helper_of(spot, call)
    if not isinstance(helper, ast.FunctionDef) or not (isinstance(statement, ast.Expr) and statement.value is call):
        return None
    changed = changed_for(spot, call, helper)
    parts = [part for name, part in _given(call, helper) if name in changed and isinstance(part, ast.Subscript)]
    named = [node.id for node in ast.walk(call) if isinstance(node, ast.Name)]
    twice = any(named.count(name) > 1 for part in parts for name in loaded([part.value]))  # they may be one and the same
    if not parts or twice or not code.on_own_lines([statement]):
        return None
    indent, (start, end) = code.indent(statement), code.region([statement])
    names = [code.fresh(f"part_{number}" if number > 1 else "part") for number in range(1, len(parts) + 1)]
    texts = [code.src(part) for part in parts]
    before, after = (
        "".join(f"{indent}{line}\n" for line in lines)
        for lines in zip(*((f"{n} = {t}", f"{t} = {n}") for n, t in zip(names, texts, strict=True)), strict=True)
    )
    return code.replace(((start, start), before), *zip(parts, names, strict=True), ((end, end), after))


def _calls(function: ast.FunctionDef) -> Iterator[ast.Call]:
    """Its calls, inner ones first, as Python makes them; not those of functions within it."""
    inside = {node for inner in walk(function) if isinstance(inner, SCOPES) and inner is not function for node in walk(inner)}
    yield from (node for node in reversed(walk(function)) if isinstance(node, ast.Call) and node not in inside)


def changes_an_argument(spot: Spot, call: ast.Call) -> bool:
    """Whether a call gives a variable, or a part of one, to a helper of the user's that changes it in place."""
    if not any(isinstance(each, ast.Name | ast.Subscript) for each in call.args) or not isinstance(call.func, ast.Name):
        return False
    helper = helper_of(spot, call)
    return isinstance(helper, ast.FunctionDef) and helper is not spot.function and bool(changed_for(spot, call, helper))


def changed_for(spot: Spot, call: ast.Call, helper: ast.FunctionDef) -> set[str]:
    """Parameters that a call gives a variable or a part of one, which the helper changes in place; not those that come back
    where its value is taken: they may as well be new ones."""
    given = {name for name, value in _given(call, helper) if isinstance(value, ast.Name) or _is_part(spot, value)}
    returned = {n.id for node in walk(helper) if isinstance(node, ast.Return) for n in _returned(node)}
    taken = set() if isinstance(spot.code.parents.get(call), ast.Expr) else returned
    return changed_in(helper) & given - set(stored(helper.body)) - taken


def _given(call: ast.Call, helper: ast.FunctionDef) -> list[tuple[str, ast.expr]]:
    """Parameters by position, and what they are given."""
    parameters = [each.arg for each in (*helper.args.posonlyargs, *helper.args.args)]
    return list(zip(parameters, call.args, strict=False))


def _is_part(spot: Spot, value: ast.expr) -> bool:
    """Whether it is a part of an array itself, and no copy: at places and slices (`out[k]`, `out[:, k]`)."""
    return isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name) and is_view(spot, value.slice)


def _returned(node: ast.Return) -> Iterator[ast.Name]:
    values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
    yield from (each for each in values if isinstance(each, ast.Name))


def changed_in(helper: ast.FunctionDef) -> set[str]:
    """Names whose items or attributes the helper sets, or whose methods it calls that change it."""
    found = set()
    for node in walk(helper):
        match node:
            case ast.Subscript(ctx=ast.Store() | ast.Del()):
                root: ast.expr = node
                while isinstance(root, ast.Subscript):
                    root = root.value
                if isinstance(root, ast.Name):
                    found.add(root.id)
            case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store()):
                found.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if attr in _CHANGING:
                found.add(name)
    return found


RULES: list[Rule] = [within_the_helper, beside_a_test]
OUTWARD: list[Rule] = [around_a_helper]
